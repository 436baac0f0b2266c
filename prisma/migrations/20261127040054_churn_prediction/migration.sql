-- CreateTable
CREATE TABLE "churn_model" (
    "id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "trained_at" TIMESTAMPTZ(3) NOT NULL,
    "went_live_at" TIMESTAMPTZ(3),
    "retired_at" TIMESTAMPTZ(3),
    "catalogue_version" INTEGER NOT NULL,
    "horizon_days" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "parameters" JSONB NOT NULL,
    "features" TEXT[],
    "windows" JSONB NOT NULL,
    "calibration" JSONB NOT NULL,
    "threshold" DOUBLE PRECISION,
    "metrics" JSONB NOT NULL,
    "importance" JSONB NOT NULL,
    "profile" JSONB NOT NULL,
    "trees" TEXT NOT NULL,

    CONSTRAINT "churn_model_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "churn_training" (
    "id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "step" TEXT,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "requested_by" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "model_id" UUID,
    "error_code" TEXT,
    "error" TEXT,

    CONSTRAINT "churn_training_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "churn_prediction" (
    "customer_id" UUID NOT NULL,
    "model_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "probability" DOUBLE PRECISION NOT NULL,
    "reasons" JSONB NOT NULL,

    CONSTRAINT "churn_prediction_pkey" PRIMARY KEY ("customer_id")
);

-- CreateTable
CREATE TABLE "churn_prediction_history" (
    "customer_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "model_id" UUID NOT NULL,
    "probability" DOUBLE PRECISION NOT NULL,
    "scored_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "churn_prediction_history_pkey" PRIMARY KEY ("customer_id","at","model_id")
);

-- CreateTable
CREATE TABLE "churn_model_drift" (
    "model_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "customers" INTEGER NOT NULL,
    "score_psi" DOUBLE PRECISION NOT NULL,
    "features" JSONB NOT NULL,
    "alarms" TEXT[],

    CONSTRAINT "churn_model_drift_pkey" PRIMARY KEY ("model_id","at")
);

-- CreateIndex
CREATE UNIQUE INDEX "churn_model_hash_key" ON "churn_model"("hash");

-- CreateIndex
CREATE INDEX "churn_model_state_idx" ON "churn_model"("state");

-- CreateIndex
CREATE INDEX "churn_training_requested_at_idx" ON "churn_training"("requested_at");

-- CreateIndex
CREATE INDEX "churn_prediction_probability_customer_id_idx" ON "churn_prediction"("probability", "customer_id");

-- CreateIndex
CREATE INDEX "churn_prediction_model_id_idx" ON "churn_prediction"("model_id");
