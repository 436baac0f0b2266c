-- Search by name and e-mail is fast through trigrams. The extension is trusted, so whoever owns the database may create
-- it; where it is not installed PostgreSQL warns here, and search still works, by reading every row.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'pg_trgm cannot be created (%): searching customers will read every row', SQLERRM;
END $$;

CREATE TABLE "account_manager" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "account_manager_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "account_manager_email_key" ON "account_manager"("email");

CREATE TABLE "customer" (
    "id" UUID NOT NULL,
    "external_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "business_segment" TEXT,
    "owner_id" UUID,
    "status" TEXT NOT NULL DEFAULT 'ACTIVE',
    "signup_at" TIMESTAMPTZ(3) NOT NULL,
    "churned_at" TIMESTAMPTZ(3),
    "churn_reason" TEXT,
    "traits" JSONB NOT NULL DEFAULT '{}',
    "last_activity_at" TIMESTAMPTZ(3),
    "first_order_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "erased_at" TIMESTAMPTZ(3),
    CONSTRAINT "customer_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "customer_status_check" CHECK (status IN ('TRIAL', 'ACTIVE', 'PAUSED', 'CHURNED')),
    CONSTRAINT "customer_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "account_manager"("id") ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "customer_external_id_key" ON "customer"("external_id");
CREATE INDEX "customer_name_id_idx" ON "customer"("name", "id");
CREATE INDEX "customer_business_segment_id_idx" ON "customer"("business_segment", "id");
CREATE INDEX "customer_status_id_idx" ON "customer"("status", "id");
CREATE INDEX "customer_owner_id_id_idx" ON "customer"("owner_id", "id");
CREATE INDEX "customer_signup_at_id_idx" ON "customer"("signup_at", "id");
-- Who never did anything comes before everybody else.
CREATE INDEX "customer_last_activity_idx" ON "customer"((COALESCE(last_activity_at, '-infinity'::timestamptz)), "id");

CREATE TABLE "customer_alias" (
    "external_id" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "former_id" UUID,
    "reason" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "customer_alias_pkey" PRIMARY KEY ("external_id")
);
CREATE UNIQUE INDEX "customer_alias_former_id_key" ON "customer_alias"("former_id");
CREATE INDEX "customer_alias_customer_id_idx" ON "customer_alias"("customer_id");

CREATE TABLE "customer_counter" (
    "shard" SMALLINT NOT NULL,
    "customers" BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT "customer_counter_pkey" PRIMARY KEY ("shard")
);
INSERT INTO "customer_counter" SELECT s, 0 FROM generate_series(0, 15) AS s;

CREATE TABLE "customer_identity" (
    "id" SMALLINT NOT NULL,
    "version" BIGINT NOT NULL,
    CONSTRAINT "customer_identity_pkey" PRIMARY KEY ("id")
);
INSERT INTO "customer_identity" VALUES (1, 1);

CREATE TABLE "contact" (
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "external_id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT,
    "time_zone" TEXT,
    "locale" TEXT,
    "consent" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "contact_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "contact_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "contact_customer_id_external_id_key" ON "contact"("customer_id", "external_id");
CREATE INDEX "contact_email_idx" ON "contact"("email");

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
    CREATE INDEX "customer_name_trgm_idx" ON "customer" USING GIN ("name" gin_trgm_ops);
    CREATE INDEX "contact_email_trgm_idx" ON "contact" USING GIN ("email" gin_trgm_ops);
  END IF;
END $$;

CREATE TABLE "subscription" (
    "id" UUID NOT NULL,
    "external_id" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "plan" TEXT NOT NULL,
    "mrr_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "cancelled_at" TIMESTAMPTZ(3),
    "cancel_reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "subscription_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "subscription_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "subscription_external_id_key" ON "subscription"("external_id");
CREATE INDEX "subscription_customer_id_started_at_idx" ON "subscription"("customer_id", "started_at");
CREATE INDEX "subscription_plan_customer_id_idx" ON "subscription"("plan", "customer_id");

CREATE TABLE "subscription_change" (
    "subscription_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "customer_id" UUID NOT NULL,
    "plan" TEXT NOT NULL,
    "mrr_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "subscription_change_pkey" PRIMARY KEY ("subscription_id", "at"),
    CONSTRAINT "subscription_change_subscription_id_fkey" FOREIGN KEY ("subscription_id") REFERENCES "subscription"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX "subscription_change_customer_id_at_idx" ON "subscription_change"("customer_id", "at");
CREATE INDEX "subscription_change_at_idx" ON "subscription_change"("at");

CREATE TABLE "invoice" (
    "id" UUID NOT NULL,
    "external_id" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "paid_at" TIMESTAMPTZ(3),
    "overdue_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "invoice_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "invoice_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "invoice_external_id_key" ON "invoice"("external_id");
CREATE INDEX "invoice_customer_id_issued_at_idx" ON "invoice"("customer_id", "issued_at");
CREATE INDEX "invoice_unpaid_due_idx" ON "invoice"("due_at") WHERE paid_at IS NULL AND overdue_at IS NULL;

CREATE TABLE "ticket" (
    "id" UUID NOT NULL,
    "external_id" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "priority" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "first_response_at" TIMESTAMPTZ(3),
    "solved_at" TIMESTAMPTZ(3),
    "satisfaction" SMALLINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "ticket_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "ticket_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "ticket_external_id_key" ON "ticket"("external_id");
CREATE INDEX "ticket_customer_id_opened_at_idx" ON "ticket"("customer_id", "opened_at");

CREATE TABLE "customer_order" (
    "id" UUID NOT NULL,
    "external_id" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "reporting_amount_minor" BIGINT,
    "reporting_currency" TEXT NOT NULL,
    "returned_minor" BIGINT NOT NULL DEFAULT 0,
    "reporting_returned_minor" BIGINT DEFAULT 0,
    "returned_at" TIMESTAMPTZ(3),
    "import_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "customer_order_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "customer_order_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "customer_order_external_id_key" ON "customer_order"("external_id");
CREATE INDEX "customer_order_customer_id_placed_at_idx" ON "customer_order"("customer_id", "placed_at");
CREATE INDEX "customer_order_placed_at_idx" ON "customer_order"("placed_at");

CREATE TABLE "customer_order_line" (
    "order_id" UUID NOT NULL,
    "line" INTEGER NOT NULL,
    "product" TEXT NOT NULL,
    "description" TEXT,
    "quantity" DECIMAL(18,3) NOT NULL,
    "unit_price" DECIMAL(18,4) NOT NULL,
    "returned_quantity" DECIMAL(18,3) NOT NULL DEFAULT 0,
    CONSTRAINT "customer_order_line_pkey" PRIMARY KEY ("order_id", "line"),
    CONSTRAINT "customer_order_line_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "customer_order"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

CREATE TABLE "exchange_rate" (
    "currency" TEXT NOT NULL,
    "reporting_currency" TEXT NOT NULL,
    "valid_from" DATE NOT NULL,
    "rate" DECIMAL(20,10) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "exchange_rate_pkey" PRIMARY KEY ("currency", "reporting_currency", "valid_from")
);

-- ---- Imports -------------------------------------------------------------------------------------------------------
