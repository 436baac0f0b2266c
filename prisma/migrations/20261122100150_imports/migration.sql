-- Imports of files: what was received, and how far each import came.

CREATE TABLE "import_upload" (
    "id" UUID NOT NULL,
    "file_name" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "import_upload_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "import_upload_created_at_idx" ON "import_upload"("created_at");

CREATE TABLE "import_job" (
    "id" UUID NOT NULL,
    "upload_id" UUID NOT NULL,
    "record_type" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "file_name" TEXT NOT NULL,
    "file_bytes" BIGINT NOT NULL,
    "file_sha256" TEXT NOT NULL,
    "dry_run" BOOLEAN NOT NULL,
    "accept_quality" BOOLEAN NOT NULL,
    "live" BOOLEAN NOT NULL,
    "options" JSONB NOT NULL,
    "state" TEXT NOT NULL,
    "phase" TEXT NOT NULL,
    "carried" JSONB NOT NULL DEFAULT '{}',
    "bytes_done" BIGINT NOT NULL DEFAULT 0,
    "rows_total" BIGINT,
    "rows_done" BIGINT NOT NULL DEFAULT 0,
    "rows_refused" BIGINT NOT NULL DEFAULT 0,
    "quality" JSONB,
    "cleaning" JSONB,
    "result" JSONB,
    "error" JSONB,
    "actor" TEXT NOT NULL,
    "correlation_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "cancel_requested_at" TIMESTAMPTZ(3),

    CONSTRAINT "import_job_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "import_job_state_known" CHECK ("state" IN ('QUEUED', 'RUNNING', 'WAITING', 'DONE', 'FAILED', 'CANCELLED')),
    CONSTRAINT "import_job_phase_known" CHECK ("phase" IN
        ('queued', 'staged', 'validated', 'reported', 'cleaned', 'customers', 'loaded', 'derived', 'done'))
);
-- Newest first in the list of imports.
CREATE INDEX "import_job_created_at_id_idx" ON "import_job"("created_at", "id");
-- "Was this file imported before?"
CREATE INDEX "import_job_file_sha256_idx" ON "import_job"("file_sha256");
CREATE INDEX "import_job_upload_id_idx" ON "import_job"("upload_id");
