-- Points that wait (awarded and not there yet, or set aside), and points owed.
ALTER TABLE "loyalty_account"
    ADD COLUMN "pending" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "held" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "debt" BIGINT NOT NULL DEFAULT 0,
    ADD CONSTRAINT "loyalty_account_pending_not_negative" CHECK ("pending" >= 0),
    ADD CONSTRAINT "loyalty_account_held_within_balance" CHECK ("held" >= 0 AND "held" <= "balance"),
    -- Who owes has nothing to spend: whatever becomes available pays first.
    ADD CONSTRAINT "loyalty_account_debt_paid_first" CHECK ("debt" = 0 OR ("debt" > 0 AND "balance" = "held"));

-- Constant defaults: no row is rewritten.
ALTER TABLE "loyalty_entry"
    ADD COLUMN "phase" TEXT NOT NULL DEFAULT 'POSTED',
    ADD COLUMN "pending" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "held" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "debt" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "settles" UUID,
    ADD COLUMN "expires_at" TIMESTAMPTZ(3),
    ADD CONSTRAINT "loyalty_entry_phase" CHECK ("phase" IN ('POSTED', 'PENDING', 'CONFIRMED', 'VOIDED'));
-- What waited is confirmed or voided once. Partial, because most entries settle nothing.
CREATE UNIQUE INDEX "loyalty_entry_settles_key" ON "loyalty_entry"("settles") WHERE "settles" IS NOT NULL;
-- The few entries that change more than the balance: sums at a past instant are read from here alone.
CREATE INDEX "loyalty_entry_beside_balance_idx" ON "loyalty_entry"("account_id", "number") INCLUDE ("pending", "held", "debt")
    WHERE "pending" <> 0 OR "held" <> 0 OR "debt" <> 0;

-- The key is the order in which an account's lots are spent; what is left changes without touching an index.
CREATE TABLE "loyalty_lot" (
    "account_id" UUID NOT NULL,
    "earned_at" TIMESTAMPTZ(3) NOT NULL,
    "entry_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "points" BIGINT NOT NULL,
    CONSTRAINT "loyalty_lot_pkey" PRIMARY KEY ("account_id", "earned_at", "entry_id"),
    CONSTRAINT "loyalty_lot_holds_points" CHECK ("points" > 0)
) WITH (fillfactor = 90);
CREATE INDEX "loyalty_lot_expires_at_idx" ON "loyalty_lot"("expires_at") WHERE "expires_at" IS NOT NULL;

CREATE TABLE "loyalty_lot_use" (
    "entry_id" UUID NOT NULL,
    "lot_id" UUID NOT NULL,
    "points" BIGINT NOT NULL,
    CONSTRAINT "loyalty_lot_use_pkey" PRIMARY KEY ("entry_id", "lot_id")
);
CREATE INDEX "loyalty_lot_use_lot_id_idx" ON "loyalty_lot_use"("lot_id");

CREATE TABLE "loyalty_pending" (
    "entry_id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "loyalty_pending_pkey" PRIMARY KEY ("entry_id")
);
CREATE INDEX "loyalty_pending_account_id_idx" ON "loyalty_pending"("account_id");
CREATE INDEX "loyalty_pending_expires_at_idx" ON "loyalty_pending"("expires_at");

-- What accounts hold already: as if it had always been spent the oldest first.
INSERT INTO "loyalty_lot" ("account_id", "earned_at", "entry_id", "points")
SELECT "account_id", "effective_at", "id", LEAST("points", "through" - "gone")
FROM (
    SELECT e."account_id", e."effective_at", e."id", e."points",
           sum(e."points") OVER (PARTITION BY e."account_id" ORDER BY e."effective_at", e."id") AS "through",
           sum(e."points") OVER (PARTITION BY e."account_id") - a."balance" AS "gone"
    FROM "loyalty_entry" e JOIN "loyalty_account" a ON a."id" = e."account_id"
    WHERE e."points" > 0 AND a."closed_at" IS NULL
) t WHERE "through" > "gone";
