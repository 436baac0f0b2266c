-- CreateTable
CREATE TABLE "loyalty_badge_award" (
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "badge" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "source_key" TEXT,
    "actor" TEXT NOT NULL,
    "awarded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "loyalty_badge_award_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "loyalty_counter" (
    "customer_id" UUID NOT NULL,
    "counter" TEXT NOT NULL,
    "live" BIGINT NOT NULL DEFAULT 0,
    "base" BIGINT NOT NULL DEFAULT 0,
    "live_since" TIMESTAMPTZ(3) NOT NULL,
    "names" TEXT[] DEFAULT ARRAY[]::TEXT[],

    CONSTRAINT "loyalty_counter_pkey" PRIMARY KEY ("customer_id","counter")
);

-- CreateTable
CREATE TABLE "loyalty_milestone" (
    "customer_id" UUID NOT NULL,
    "milestone" TEXT NOT NULL,
    "value" BIGINT NOT NULL,
    "points" BIGINT NOT NULL DEFAULT 0,
    "badge" TEXT,
    "reached_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "loyalty_milestone_pkey" PRIMARY KEY ("customer_id","milestone")
);

-- CreateTable
CREATE TABLE "loyalty_streak" (
    "customer_id" UUID NOT NULL,
    "streak" TEXT NOT NULL,
    "runs" INTEGER[],
    "length" INTEGER NOT NULL,
    "longest" INTEGER NOT NULL,
    "last_period" INTEGER NOT NULL,
    "ends_at" TIMESTAMPTZ(3),

    CONSTRAINT "loyalty_streak_pkey" PRIMARY KEY ("customer_id","streak")
);

-- CreateTable
CREATE TABLE "loyalty_challenge_entry" (
    "customer_id" UUID NOT NULL,
    "challenge" TEXT NOT NULL,
    "joined_at" TIMESTAMPTZ(3) NOT NULL,
    "progress" DECIMAL(20,6) NOT NULL DEFAULT 0,
    "points" BIGINT NOT NULL DEFAULT 0,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "loyalty_challenge_entry_pkey" PRIMARY KEY ("customer_id","challenge")
);

-- CreateTable
CREATE TABLE "loyalty_leaderboard_member" (
    "customer_id" UUID NOT NULL,
    "display_name" TEXT NOT NULL,
    "joined_at" TIMESTAMPTZ(3) NOT NULL,
    "counted" INTEGER,

    CONSTRAINT "loyalty_leaderboard_member_pkey" PRIMARY KEY ("customer_id")
);

-- CreateTable
CREATE TABLE "loyalty_leaderboard_score" (
    "customer_id" UUID NOT NULL,
    "period" TEXT NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "points" BIGINT NOT NULL,

    CONSTRAINT "loyalty_leaderboard_score_pkey" PRIMARY KEY ("customer_id","period","starts_at")
);

-- CreateTable
CREATE TABLE "loyalty_appreciation" (
    "customer_id" UUID NOT NULL,
    "occasion" TEXT NOT NULL,
    "points" BIGINT NOT NULL DEFAULT 0,
    "celebrated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "loyalty_appreciation_pkey" PRIMARY KEY ("customer_id","occasion")
);

-- CreateTable
CREATE TABLE "loyalty_referral_code" (
    "code" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "loyalty_referral_code_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "loyalty_referral" (
    "id" UUID NOT NULL,
    "referrer_id" UUID NOT NULL,
    "referred_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "attributed_at" TIMESTAMPTZ(3) NOT NULL,
    "rewarded_at" TIMESTAMPTZ(3),
    "referrer_points" BIGINT NOT NULL DEFAULT 0,
    "referred_points" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "loyalty_referral_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "loyalty_badge_award_customer_id_id_idx" ON "loyalty_badge_award"("customer_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "loyalty_badge_award_customer_id_badge_key" ON "loyalty_badge_award"("customer_id", "badge");

-- CreateIndex
CREATE INDEX "loyalty_streak_ends_at_idx" ON "loyalty_streak"("ends_at");

-- CreateIndex
CREATE INDEX "loyalty_leaderboard_score_period_starts_at_points_customer__idx" ON "loyalty_leaderboard_score"("period", "starts_at", "points" DESC, "customer_id");

-- CreateIndex
CREATE INDEX "loyalty_referral_code_customer_id_created_at_idx" ON "loyalty_referral_code"("customer_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "loyalty_referral_referred_id_key" ON "loyalty_referral"("referred_id");

-- CreateIndex
CREATE INDEX "loyalty_referral_referrer_id_id_idx" ON "loyalty_referral"("referrer_id", "id" DESC);
