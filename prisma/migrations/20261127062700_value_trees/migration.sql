-- AlterTable
ALTER TABLE "customer_value" ADD COLUMN     "median_minor" BIGINT;

-- CreateTable
CREATE TABLE "value_trees" (
    "input_hash" TEXT NOT NULL,
    "learnt_at" TIMESTAMPTZ(3) NOT NULL,
    "outcome" JSONB NOT NULL,

    CONSTRAINT "value_trees_pkey" PRIMARY KEY ("input_hash")
);
