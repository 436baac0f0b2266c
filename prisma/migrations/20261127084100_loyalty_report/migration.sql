-- Entries are written in the order of time: block ranges find those of a period, and cost their writers next to nothing.
CREATE INDEX "loyalty_entry_recorded_at_idx" ON "loyalty_entry" USING BRIN ("recorded_at");
