CREATE TABLE "message" (
    "id" UUID NOT NULL,
    "unique_key" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "contact_id" UUID NOT NULL,
    "topic" TEXT NOT NULL,
    "template" TEXT NOT NULL,
    "template_hash" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "recipient" TEXT,
    "subject" TEXT,
    "preview" TEXT,
    "html" TEXT,
    "text" TEXT,
    "reason" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "sent_at" TIMESTAMPTZ(3),
    "causation_id" UUID,
    "correlation_id" TEXT NOT NULL,
    CONSTRAINT "message_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "message_unique_key_key" ON "message"("unique_key");
CREATE INDEX "message_customer_id_id_idx" ON "message"("customer_id", "id" DESC);
CREATE INDEX "message_state_id_idx" ON "message"("state", "id");
