-- The stock changes with every redemption: the free space lets PostgreSQL update rows in place without touching an index.
CREATE TABLE "loyalty_reward" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "cost" BIGINT NOT NULL,
    "stock" INTEGER,
    "low_stock_at" INTEGER,
    "lowest_tier" TEXT NOT NULL,
    "valid_from" TIMESTAMPTZ(3),
    "valid_until" TIMESTAMPTZ(3),
    "limit_per_customer" INTEGER,
    "voucher_lifetime_days" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    CONSTRAINT "loyalty_reward_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "loyalty_reward_cost_positive" CHECK ("cost" > 0),
    CONSTRAINT "loyalty_reward_stock_not_negative" CHECK ("stock" >= 0)
) WITH (fillfactor = 50);
CREATE INDEX "loyalty_reward_cost_id_idx" ON "loyalty_reward"("cost", "id");

CREATE TABLE "loyalty_redemption" (
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "reward_id" UUID NOT NULL,
    "quantity" INTEGER NOT NULL,
    "points" BIGINT NOT NULL,
    "state" TEXT NOT NULL,
    "points_state" TEXT NOT NULL,
    "from_stock" BOOLEAN NOT NULL,
    "voucher_code" TEXT,
    "entry_id" UUID NOT NULL,
    "redeemed_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "closed_at" TIMESTAMPTZ(3),
    "reason" TEXT,
    CONSTRAINT "loyalty_redemption_pkey" PRIMARY KEY ("id"),
    -- Open means held and not closed, and anything else means the opposite of both.
    CONSTRAINT "loyalty_redemption_state" CHECK (
        CASE "state" WHEN 'OPEN' THEN "points_state" = 'HELD' AND "closed_at" IS NULL
                     WHEN 'FULFILLED' THEN "points_state" = 'TAKEN' AND "closed_at" IS NOT NULL
                     WHEN 'CANCELLED' THEN "points_state" = 'RETURNED' AND "closed_at" IS NOT NULL
                     WHEN 'EXPIRED' THEN "points_state" IN ('TAKEN', 'RETURNED') AND "closed_at" IS NOT NULL
                     ELSE FALSE END)
);
CREATE UNIQUE INDEX "loyalty_redemption_voucher_code_key" ON "loyalty_redemption"("voucher_code");
CREATE INDEX "loyalty_redemption_customer_id_id_idx" ON "loyalty_redemption"("customer_id", "id");
-- What may expire: few of all there ever were.
CREATE INDEX "loyalty_redemption_expiring_idx" ON "loyalty_redemption"("expires_at") WHERE "state" = 'OPEN' AND "expires_at" IS NOT NULL;
