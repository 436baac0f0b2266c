CREATE TABLE "api_key" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "api_key_prefix_key" ON "api_key"("prefix");

CREATE TABLE "setting_version" (
    "key" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "value" JSONB NOT NULL,
    "actor" TEXT NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "setting_version_pkey" PRIMARY KEY ("key", "version")
);

CREATE TABLE "audit_entry" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "detail" JSONB NOT NULL,
    "correlation_id" TEXT NOT NULL,
    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "audit_entry_at_idx" ON "audit_entry"("at");
CREATE INDEX "audit_entry_subject_at_idx" ON "audit_entry"("subject", "at");

CREATE TABLE "idempotency_key" (
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "input_hash" BYTEA NOT NULL,
    "answer" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("scope", "key")
);
CREATE INDEX "idempotency_key_created_at_idx" ON "idempotency_key"("created_at");

-- Raised (create or replace) when the database has moved to a cluster whose transaction ids begin anew, so that order
-- and cursors survive a restore. A function, because both the column's default and every reader need it in one snapshot.
CREATE FUNCTION "outbox_epoch"() RETURNS INTEGER LANGUAGE sql STABLE PARALLEL SAFE RETURN 1;

-- xid stands before seq on purpose: defaults are evaluated in column order, so a row has its
-- transaction id before it draws its sequence number.
CREATE TABLE "outbox_event" (
    "epoch" INTEGER NOT NULL DEFAULT outbox_epoch(),
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "seq" BIGSERIAL NOT NULL,
    "id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "customer_id" UUID,
    "actor" TEXT NOT NULL,
    "correlation_id" TEXT NOT NULL,
    "causation_id" UUID,
    "payload" JSONB NOT NULL,
    CONSTRAINT "outbox_event_pkey" PRIMARY KEY ("epoch", "xid", "seq")
);
CREATE UNIQUE INDEX "outbox_event_id_key" ON "outbox_event"("id");
CREATE INDEX "outbox_event_customer_id_epoch_xid_seq_idx" ON "outbox_event"("customer_id", "epoch", "xid", "seq");

CREATE TABLE "event_delivery" (
    "event_id" UUID NOT NULL,
    "handler" TEXT NOT NULL,
    "customer_id" UUID,
    "state" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3),
    "error" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "event_delivery_pkey" PRIMARY KEY ("event_id", "handler")
);
-- Nearly every row is applied: what waits or is dead is found through this small index.
CREATE INDEX "event_delivery_open_idx" ON "event_delivery"("handler", "customer_id") WHERE state <> 'applied';

CREATE TABLE "dispatch_cursor" (
    "handler" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "xid" xid8 NOT NULL,
    "seq" BIGINT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "dispatch_cursor_pkey" PRIMARY KEY ("handler")
);

CREATE TABLE "event_inbox" (
    "event_uid" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "source_id" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "value" DECIMAL(20,6),
    "currency" TEXT,
    "properties" JSONB NOT NULL,
    "batch_id" UUID NOT NULL,
    "accepted_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "event_inbox_pkey" PRIMARY KEY ("event_uid")
);
CREATE INDEX "event_inbox_accepted_at_idx" ON "event_inbox"("accepted_at");

CREATE TABLE "event_seen" (
    "event_uid" UUID NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "event_seen_pkey" PRIMARY KEY ("event_uid")
);
CREATE INDEX "event_seen_seen_at_idx" ON "event_seen" USING BRIN ("seen_at");
