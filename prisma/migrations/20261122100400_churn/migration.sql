CREATE TABLE "churn_status" (
    "customer_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "due_at" TIMESTAMPTZ(3),
    CONSTRAINT "churn_status_pkey" PRIMARY KEY ("customer_id")
);
CREATE INDEX "churn_status_status_customer_id_idx" ON "churn_status"("status", "customer_id");
CREATE INDEX "churn_status_due_at_idx" ON "churn_status"("due_at");

CREATE TABLE "churn_change" (
    "customer_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "cause" TEXT,
    CONSTRAINT "churn_change_pkey" PRIMARY KEY ("customer_id", "at", "kind")
);
CREATE INDEX "churn_change_at_idx" ON "churn_change"("at");
