-- Entries written before it was kept say nothing of the version: the ledger is written once.
ALTER TABLE "loyalty_entry" ADD COLUMN "rule_version" INTEGER;

CREATE TABLE "loyalty_tier_change" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "from_tier" TEXT NOT NULL,
    "to_tier" TEXT NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    "cause" TEXT NOT NULL,
    "entry_id" UUID,
    CONSTRAINT "loyalty_tier_change_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "loyalty_tier_change_cause" CHECK ("cause" IN ('ENTRY', 'REVIEW'))
);
CREATE INDEX "loyalty_tier_change_account_id_changed_at_id_idx" ON "loyalty_tier_change"("account_id", "changed_at", "id");

CREATE TABLE "loyalty_tier_standing" (
    "account_id" UUID NOT NULL,
    "downgrade_at" TIMESTAMPTZ(3),
    "entries" INTEGER NOT NULL DEFAULT 0,
    "time_zone" TEXT NOT NULL DEFAULT '',
    CONSTRAINT "loyalty_tier_standing_pkey" PRIMARY KEY ("account_id")
);

CREATE TABLE "loyalty_earned_month" (
    "account_id" UUID NOT NULL,
    "month" INTEGER NOT NULL,
    "earned" BIGINT NOT NULL,
    CONSTRAINT "loyalty_earned_month_pkey" PRIMARY KEY ("account_id", "month")
);

CREATE TABLE "loyalty_entry_earning" (
    "entry_id" UUID NOT NULL,
    "base" BIGINT NOT NULL,
    "campaigns" TEXT[],
    CONSTRAINT "loyalty_entry_earning_pkey" PRIMARY KEY ("entry_id")
);

-- The history of the tiers begins with the ledger: what each entry made of the account, by the thresholds in force now.
WITH "thresholds" AS (
    SELECT tier ->> 'key' AS "key", (tier ->> 'from')::bigint AS "from"
    FROM jsonb_array_elements(COALESCE(
        (SELECT "value" FROM "setting_version" WHERE "key" = 'loyalty.tiers' ORDER BY "version" DESC LIMIT 1),
        '[{"key": "BRONZE", "from": 0}, {"key": "SILVER", "from": 1000}, {"key": "GOLD", "from": 2500}, {"key": "PLATINUM", "from": 5000}]'
    )) AS tier
), "running" AS (
    SELECT "id", "account_id", "number", "recorded_at", SUM("qualifying") OVER (PARTITION BY "account_id" ORDER BY "number") AS "earned"
    FROM "loyalty_entry"
), "placed" AS (
    SELECT r.*, (SELECT t."key" FROM "thresholds" t WHERE t."from" <= r."earned" ORDER BY t."from" DESC LIMIT 1) AS "tier"
    FROM "running" r
), "moves" AS (
    SELECT p.*, LAG(p."tier", 1, (SELECT "key" FROM "thresholds" ORDER BY "from" LIMIT 1)) OVER (PARTITION BY p."account_id" ORDER BY p."number") AS "before"
    FROM "placed" p
)
INSERT INTO "loyalty_tier_change" ("id", "account_id", "from_tier", "to_tier", "changed_at", "cause", "entry_id")
SELECT gen_random_uuid(), "account_id", "before", "tier", "recorded_at", 'ENTRY', "id" FROM "moves" WHERE "tier" <> "before";

-- Where thresholds were others once, the last word has the account.
INSERT INTO "loyalty_tier_change" ("id", "account_id", "from_tier", "to_tier", "changed_at", "cause", "entry_id")
SELECT gen_random_uuid(), a."id", COALESCE(l."to_tier", 'BRONZE'), a."tier", GREATEST(a."tier_since", l."changed_at"), 'ENTRY', NULL
FROM "loyalty_account" a LEFT JOIN LATERAL (
    SELECT c."to_tier", c."changed_at" FROM "loyalty_tier_change" c
    WHERE c."account_id" = a."id" ORDER BY c."changed_at" DESC, c."id" DESC LIMIT 1
) l ON true
WHERE a."tier" <> COALESCE(l."to_tier", 'BRONZE');
