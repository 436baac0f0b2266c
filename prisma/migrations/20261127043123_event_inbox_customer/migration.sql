-- CreateIndex
CREATE INDEX "event_inbox_customer_id_idx" ON "event_inbox"("customer_id");
