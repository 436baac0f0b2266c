-- CreateTable
CREATE TABLE "feature_snapshot" (
    "id" UUID NOT NULL,
    "snapshot_at" TIMESTAMPTZ(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "watermark" TIMESTAMPTZ(3) NOT NULL,
    "input_hash" TEXT NOT NULL,
    "content_hash" TEXT NOT NULL,
    "customers" INTEGER NOT NULL,
    "catalogue_version" INTEGER NOT NULL,
    "terms" JSONB NOT NULL,
    "computed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "feature_snapshot_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "customer_rfm" (
    "customer_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recency_days" INTEGER NOT NULL,
    "orders" INTEGER NOT NULL,
    "revenue_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "recency_score" SMALLINT NOT NULL,
    "frequency_score" SMALLINT NOT NULL,
    "monetary_score" SMALLINT NOT NULL,
    "segment" TEXT NOT NULL,
    "last_login_at" TIMESTAMPTZ(3),
    "advice" TEXT[],
    "cluster" TEXT,

    CONSTRAINT "customer_rfm_pkey" PRIMARY KEY ("customer_id")
);

-- CreateTable
CREATE TABLE "cluster_model" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "currency" TEXT NOT NULL,
    "k" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "trials" JSONB NOT NULL,
    "clusters" JSONB NOT NULL,

    CONSTRAINT "cluster_model_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "value_model" (
    "id" UUID NOT NULL,
    "method" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "customers" INTEGER NOT NULL,
    "parameters" JSONB NOT NULL,
    "measures" JSONB NOT NULL,
    "problem" TEXT,
    "remarks" TEXT[],

    CONSTRAINT "value_model_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "customer_value" (
    "customer_id" UUID NOT NULL,
    "method" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "value_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "horizon_days" INTEGER,
    "expected_purchases" DOUBLE PRECISION,
    "probability_alive" DOUBLE PRECISION,
    "expected_order_minor" BIGINT,
    "low_minor" BIGINT,
    "high_minor" BIGINT,
    "model_id" UUID,

    CONSTRAINT "customer_value_pkey" PRIMARY KEY ("customer_id","method")
);

-- CreateTable
CREATE TABLE "value_refresh" (
    "id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "requested_by" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "step" TEXT,
    "result" JSONB,
    "error" TEXT,

    CONSTRAINT "value_refresh_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "feature_snapshot_snapshot_at_key" ON "feature_snapshot"("snapshot_at");

-- CreateIndex
CREATE INDEX "customer_rfm_segment_customer_id_idx" ON "customer_rfm"("segment", "customer_id");

-- CreateIndex
CREATE INDEX "customer_rfm_cluster_customer_id_idx" ON "customer_rfm"("cluster", "customer_id");

-- CreateIndex
CREATE INDEX "customer_rfm_advice_idx" ON "customer_rfm" USING GIN ("advice");

-- CreateIndex
CREATE INDEX "cluster_model_at_idx" ON "cluster_model"("at");

-- CreateIndex
CREATE INDEX "value_model_method_at_idx" ON "value_model"("method", "at");

-- CreateIndex
CREATE INDEX "customer_value_method_value_minor_customer_id_idx" ON "customer_value"("method", "value_minor", "customer_id");

-- CreateIndex
CREATE INDEX "customer_value_method_expected_purchases_customer_id_idx" ON "customer_value"("method", "expected_purchases", "customer_id");

-- CreateIndex
CREATE INDEX "value_refresh_requested_at_idx" ON "value_refresh"("requested_at");
