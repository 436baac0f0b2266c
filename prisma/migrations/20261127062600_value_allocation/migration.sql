-- CreateTable
CREATE TABLE "allocation_plan" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,
    "confirmed_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3),
    "measured_at" TIMESTAMPTZ(3),
    "cancelled_at" TIMESTAMPTZ(3),
    "currency" TEXT NOT NULL,
    "budget_minor" BIGINT NOT NULL,
    "terms" JSONB NOT NULL,
    "actions" JSONB NOT NULL,
    "population" JSONB NOT NULL,
    "totals" JSONB NOT NULL,
    "measurement" JSONB,

    CONSTRAINT "allocation_plan_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "allocation_assignment" (
    "plan_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "action" TEXT NOT NULL,
    "held_out" BOOLEAN NOT NULL,
    "probability" DOUBLE PRECISION NOT NULL,
    "probability_source" TEXT NOT NULL,
    "value_minor" BIGINT NOT NULL,
    "cost_minor" BIGINT NOT NULL,
    "saved_minor" BIGINT NOT NULL,
    "retained" BOOLEAN,

    CONSTRAINT "allocation_assignment_pkey" PRIMARY KEY ("plan_id","customer_id")
);

-- CreateIndex
CREATE INDEX "allocation_plan_state_due_at_idx" ON "allocation_plan"("state", "due_at");

-- CreateIndex
CREATE INDEX "allocation_assignment_plan_id_saved_minor_customer_id_idx" ON "allocation_assignment"("plan_id", "saved_minor" DESC, "customer_id");

-- CreateIndex
CREATE INDEX "allocation_assignment_customer_id_idx" ON "allocation_assignment"("customer_id");
