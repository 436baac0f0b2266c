-- CreateTable
CREATE TABLE "loyalty_standing" (
    "customer_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "score" DOUBLE PRECISION NOT NULL,
    "band" TEXT NOT NULL,
    "band_since" TIMESTAMPTZ(3) NOT NULL,
    "coverage" DOUBLE PRECISION NOT NULL,
    "parts" JSONB NOT NULL,
    "stage" TEXT NOT NULL,
    "stage_since" TIMESTAMPTZ(3) NOT NULL,
    "strength" DOUBLE PRECISION NOT NULL,
    "stay_probability" DOUBLE PRECISION,
    "stay_basis" TEXT,
    "referrals" INTEGER NOT NULL,
    "last_nps" DOUBLE PRECISION,
    "revenue_minor" BIGINT,
    "revenue_currency" TEXT,
    "cause_event_id" UUID,

    CONSTRAINT "loyalty_standing_pkey" PRIMARY KEY ("customer_id")
);

-- CreateTable
CREATE TABLE "loyalty_standing_history" (
    "customer_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" UUID NOT NULL,
    "score" DOUBLE PRECISION NOT NULL,
    "band" TEXT NOT NULL,
    "band_since" TIMESTAMPTZ(3) NOT NULL,
    "coverage" DOUBLE PRECISION NOT NULL,
    "parts" JSONB NOT NULL,
    "stage" TEXT NOT NULL,
    "cause_event_id" UUID,

    CONSTRAINT "loyalty_standing_history_pkey" PRIMARY KEY ("customer_id","at","id")
);

-- CreateTable
CREATE TABLE "loyalty_standing_month" (
    "customer_id" UUID NOT NULL,
    "month" DATE NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "score" DOUBLE PRECISION NOT NULL,
    "band" TEXT NOT NULL,
    "stage" TEXT NOT NULL,
    "strength" DOUBLE PRECISION NOT NULL,
    "stay_probability" DOUBLE PRECISION,
    "stay_basis" TEXT,

    CONSTRAINT "loyalty_standing_month_pkey" PRIMARY KEY ("customer_id","month")
);

-- CreateTable
CREATE TABLE "loyalty_touchpoint" (
    "customer_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "detail" JSONB NOT NULL,

    CONSTRAINT "loyalty_touchpoint_pkey" PRIMARY KEY ("customer_id","at","id")
);

-- CreateTable
CREATE TABLE "loyalty_ambassador" (
    "customer_id" UUID NOT NULL,
    "invited_at" TIMESTAMPTZ(3) NOT NULL,
    "invited_by" TEXT NOT NULL,
    "thanked_at" TIMESTAMPTZ(3),
    "thanked_by" TEXT,

    CONSTRAINT "loyalty_ambassador_pkey" PRIMARY KEY ("customer_id")
);

-- CreateIndex
CREATE INDEX "loyalty_standing_band_customer_id_idx" ON "loyalty_standing"("band", "customer_id");

-- CreateIndex
CREATE INDEX "loyalty_standing_score_customer_id_idx" ON "loyalty_standing"("score", "customer_id");

-- CreateIndex
CREATE INDEX "loyalty_standing_stage_customer_id_idx" ON "loyalty_standing"("stage", "customer_id");
