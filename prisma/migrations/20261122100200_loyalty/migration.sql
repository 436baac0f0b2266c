-- Balances change with every entry: the free space lets PostgreSQL update rows in place without touching an index.
CREATE TABLE "loyalty_account" (
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "joined_at" TIMESTAMPTZ(3) NOT NULL,
    "tier" TEXT NOT NULL,
    "tier_since" TIMESTAMPTZ(3) NOT NULL,
    "balance" BIGINT NOT NULL DEFAULT 0,
    "earned" BIGINT NOT NULL DEFAULT 0,
    "entry_count" INTEGER NOT NULL DEFAULT 0,
    "last_entry_at" TIMESTAMPTZ(3),
    "closed_at" TIMESTAMPTZ(3),
    CONSTRAINT "loyalty_account_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "loyalty_account_balance_not_negative" CHECK ("balance" >= 0),
    CONSTRAINT "loyalty_account_earned_not_negative" CHECK ("earned" >= 0)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX "loyalty_account_customer_id_key" ON "loyalty_account"("customer_id");
CREATE INDEX "loyalty_account_tier_customer_id_idx" ON "loyalty_account"("tier", "customer_id");

CREATE TABLE "loyalty_entry" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "points" BIGINT NOT NULL,
    "qualifying" BIGINT NOT NULL,
    "balance_after" BIGINT NOT NULL,
    "rule" TEXT,
    "source" TEXT NOT NULL,
    "source_id" UUID,
    "reverses" UUID,
    "reason" TEXT,
    "actor" TEXT NOT NULL,
    "effective_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "loyalty_entry_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "loyalty_entry_kind" CHECK ("kind" IN ('EARN', 'REDEEM', 'EXPIRE', 'REVERSE', 'ADJUST')),
    CONSTRAINT "loyalty_entry_balance_not_negative" CHECK ("balance_after" >= 0)
);
CREATE UNIQUE INDEX "loyalty_entry_account_id_number_key" ON "loyalty_entry"("account_id", "number");
-- An entry is reversed at most once. Partial, because most entries reverse nothing.
CREATE UNIQUE INDEX "loyalty_entry_reverses_key" ON "loyalty_entry"("reverses") WHERE "reverses" IS NOT NULL;

CREATE TABLE "loyalty_rule_use" (
    "account_id" UUID NOT NULL,
    "rule" TEXT NOT NULL,
    "period_start" TIMESTAMPTZ(3) NOT NULL,
    "times" INTEGER NOT NULL,
    CONSTRAINT "loyalty_rule_use_pkey" PRIMARY KEY ("account_id", "rule", "period_start")
);

-- The ledger is written once. Only the words of a reason may go, when the person they speak of is erased.
CREATE FUNCTION "loyalty_entry_is_immutable"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.reason IS NULL
       AND to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger entries are immutable: write a reversal or an adjustment instead'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER "loyalty_entry_immutable" BEFORE UPDATE OR DELETE ON "loyalty_entry"
    FOR EACH ROW EXECUTE FUNCTION "loyalty_entry_is_immutable"();
CREATE TRIGGER "loyalty_entry_not_truncated" BEFORE TRUNCATE ON "loyalty_entry"
    FOR EACH STATEMENT EXECUTE FUNCTION "loyalty_entry_is_immutable"();
