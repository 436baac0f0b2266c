-- Rows that imports refused or dropped, and why: the rejects file. One row per broken rule; a resumed import that finds
-- them again writes them over. They are looked at in the weeks after the import, then they go.
CREATE TABLE IF NOT EXISTS import_reject {{on_cluster}}
(
    job_id      UUID,
    -- Physical line of the file, the header of a CSV being line 1.
    line        UInt64 CODEC(Delta, ZSTD(1)),
    -- The file's column; '' when the whole row is meant.
    column      LowCardinality(String),
    rule        LowCardinality(String),
    -- Cut at 200 characters.
    value       String CODEC(ZSTD(1)),
    rejected_at DateTime('UTC') DEFAULT now()
)
ENGINE = {{engine:ReplacingMergeTree(rejected_at)}}
ORDER BY (job_id, line, column, rule)
TTL rejected_at + INTERVAL 180 DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
