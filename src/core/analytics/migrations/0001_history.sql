-- The event stream.
--
-- What is said here: one row per event, an event being (source, id of the source); its identity is `event_uid`, made of
-- both by whoever writes. Sent twice, it counts once.
--
-- Why the sorting key is (customer_id, event_uid) and there is no partition: ReplacingMergeTree folds rows of equal key
-- within one partition. A partition by month would keep apart the same event sent with a corrected time, and a key with
-- the time or the name in it would, too. So partition and key hold nothing that a replay may change. `customer_id` is the
-- id of the customer the event named when it came: merging customers never rewrites it (that would move the row to another
-- key, where a replay could no longer meet it); `customer_alias` leads from it to the customer who lives on. With the
-- customer first, one customer's timeline is one or two granules (about 3 ms), erasing a person touches one stretch of
-- each part, and hash sharding by customer keeps all versions of an event on one shard. Scans by month read the narrow
-- columns `at` and `name` whole, which at 5 million rows costs tens of milliseconds.
--
-- The row received last wins. Read with FINAL, or count uniq(event_uid).
CREATE TABLE IF NOT EXISTS events {{on_cluster}}
(
    event_uid   UUID,
    source      LowCardinality(String),
    source_id   String CODEC(ZSTD(1)),
    customer_id UUID,
    name        LowCardinality(String),
    at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    -- Money or any other amount the event carries; 14 digits before the point, as in PostgreSQL's event_inbox.
    value       Nullable(Decimal(20, 6)),
    -- ISO 4217 when `value` is money, else ''.
    currency    LowCardinality(String),
    -- A JSON object as text. The JSON type was tried: half the loading speed (5.1 s against 3.0 s for a million rows) for
    -- reads that simpleJSONExtract answers in 50 ms over as many.
    properties  String CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    -- The import or the batch that brought it.
    import_id   UUID CODEC(ZSTD(1))
)
ENGINE = {{engine:ReplacingMergeTree(received_at)}}
ORDER BY (customer_id, event_uid)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Order lines as they came, those that cleaning takes out included: returns leave the revenue and stay as returns.
-- Identity: `line_uid`, of (source, order, line number) or of (hash of the file, row number). Key and partition follow
-- the same reasoning as for `events`. Lines without a customer have the zero UUID.
CREATE TABLE IF NOT EXISTS order_lines {{on_cluster}}
(
    line_uid          UUID,
    source            LowCardinality(String),
    order_id          String CODEC(ZSTD(1)),
    customer_id       UUID,
    product           String CODEC(ZSTD(1)),
    description       String CODEC(ZSTD(1)),
    quantity          Decimal(18, 3) CODEC(ZSTD(1)),
    unit_price        Decimal(18, 4) CODEC(ZSTD(1)),
    currency          LowCardinality(String),
    country           LowCardinality(String),
    at                DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    -- The cleaning stage that took the line out, in the order of the stages; 'kept' counts as revenue.
    taken_out         Enum8('kept' = 0, 'no_customer' = 1, 'return' = 2, 'not_positive' = 3, 'duplicate' = 4),
    -- Set by stage 5 on outliers: the value to calculate with instead. The row itself stays as it came.
    capped_quantity   Nullable(Decimal(18, 3)) CODEC(ZSTD(1)),
    capped_unit_price Nullable(Decimal(18, 4)) CODEC(ZSTD(1)),
    -- The purchase line that this return undoes, where it was found.
    undoes_line_uid   Nullable(UUID) CODEC(ZSTD(1)),
    received_at       DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    import_id         UUID CODEC(ZSTD(1)),
    -- Line of the imported file, 0 for lines that came one by one.
    import_line       UInt64 CODEC(Delta, ZSTD(1)),
    -- Exact: seven decimals are the product's own.
    amount            Decimal(38, 7) ALIAS toDecimal128(quantity, 3) * unit_price,
    capped_amount     Decimal(38, 7) ALIAS toDecimal128(coalesce(capped_quantity, quantity), 3) * coalesce(capped_unit_price, unit_price)
)
ENGINE = {{engine:ReplacingMergeTree(received_at)}}
ORDER BY (customer_id, line_uid)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Merged customers: rows of `customer_id` belong to `survivor_id`. One step always, never a chain: whoever merges B into
-- A writes B and all that lead to B.
CREATE TABLE IF NOT EXISTS customer_alias {{on_cluster}}
(
    customer_id UUID,
    survivor_id UUID,
    merged_at   DateTime64(3, 'UTC')
)
ENGINE = {{engine:ReplacingMergeTree(merged_at)}}
ORDER BY customer_id
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
