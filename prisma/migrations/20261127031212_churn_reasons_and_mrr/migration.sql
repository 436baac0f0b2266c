-- AlterTable
ALTER TABLE "churn_change" ADD COLUMN     "reason" TEXT,
ADD COLUMN     "until" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "churn_status" ADD COLUMN     "terms" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "churn_mrr_movement" (
    "customer_id" UUID NOT NULL,
    "currency" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "delta_minor" BIGINT NOT NULL,
    "mrr_minor" BIGINT NOT NULL,
    "paying_since" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "churn_mrr_movement_pkey" PRIMARY KEY ("customer_id","currency","at")
);

-- CreateIndex
CREATE INDEX "churn_mrr_movement_at_idx" ON "churn_mrr_movement"("at");
