CREATE TABLE "customer_assessment" (
    "customer_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "health_score" DOUBLE PRECISION,
    "health_tier" TEXT,
    "health_coverage" DOUBLE PRECISION NOT NULL,
    "health_parts" JSONB NOT NULL,
    "health_change" JSONB,
    "risk_score" DOUBLE PRECISION,
    "risk_category" TEXT,
    "risk_since" TIMESTAMPTZ(3),
    "risk_coverage" DOUBLE PRECISION NOT NULL,
    "risk_indicators" JSONB NOT NULL,
    "cause_event_id" UUID,
    CONSTRAINT "customer_assessment_pkey" PRIMARY KEY ("customer_id")
);
CREATE INDEX "customer_assessment_health_score_customer_id_idx" ON "customer_assessment"("health_score", "customer_id");
CREATE INDEX "customer_assessment_risk_category_customer_id_idx" ON "customer_assessment"("risk_category", "customer_id");
CREATE INDEX "customer_assessment_risk_score_customer_id_idx" ON "customer_assessment"("risk_score", "customer_id");

CREATE TABLE "customer_assessment_history" (
    "customer_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" UUID NOT NULL,
    "health_score" DOUBLE PRECISION,
    "health_tier" TEXT,
    "health_coverage" DOUBLE PRECISION NOT NULL,
    "health_parts" JSONB NOT NULL,
    "health_change" JSONB,
    "risk_score" DOUBLE PRECISION,
    "risk_category" TEXT,
    "risk_since" TIMESTAMPTZ(3),
    "risk_coverage" DOUBLE PRECISION NOT NULL,
    "risk_indicators" JSONB NOT NULL,
    "cause_event_id" UUID,
    CONSTRAINT "customer_assessment_history_pkey" PRIMARY KEY ("customer_id", "at", "id")
);
