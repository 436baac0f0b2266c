-- What each customer was like at an instant: the features of the module `value`, which describes them. One computation is
-- one partition, so that a snapshot that is computed anew takes the place of the former one at once, and the former one is
-- dropped as a whole. The record of snapshots (PostgreSQL, feature_snapshot) says which computation is in force.
CREATE TABLE IF NOT EXISTS customer_features {{on_cluster}}
(
    snapshot_id           UUID,
    snapshot_at           DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    customer_id           UUID,
    recency_days          Nullable(Float64) CODEC(ZSTD(1)),
    tenure_days           Float64 CODEC(ZSTD(1)),
    activity_recency_days Float64 CODEC(ZSTD(1)),
    recency_over_gap      Nullable(Float64) CODEC(ZSTD(1)),
    orders                UInt32 CODEC(ZSTD(1)),
    order_days            UInt32 CODEC(ZSTD(1)),
    mean_gap_days         Nullable(Float64) CODEC(ZSTD(1)),
    gap_deviation_days    Nullable(Float64) CODEC(ZSTD(1)),
    revenue               Decimal(38, 4) CODEC(ZSTD(1)),
    average_order         Nullable(Float64) CODEC(ZSTD(1)),
    largest_order         Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    order_deviation       Nullable(Float64) CODEC(ZSTD(1)),
    last_order            Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    orders_30             UInt32 CODEC(ZSTD(1)),
    orders_60             UInt32 CODEC(ZSTD(1)),
    orders_90             UInt32 CODEC(ZSTD(1)),
    orders_180            UInt32 CODEC(ZSTD(1)),
    revenue_30            Decimal(38, 4) CODEC(ZSTD(1)),
    revenue_60            Decimal(38, 4) CODEC(ZSTD(1)),
    revenue_90            Decimal(38, 4) CODEC(ZSTD(1)),
    revenue_180           Decimal(38, 4) CODEC(ZSTD(1)),
    orders_trend          Nullable(Float64) CODEC(ZSTD(1)),
    revenue_trend         Nullable(Float64) CODEC(ZSTD(1)),
    basket_lines          Nullable(Float64) CODEC(ZSTD(1)),
    basket_pieces         Nullable(Float64) CODEC(ZSTD(1)),
    distinct_products     UInt32 CODEC(ZSTD(1)),
    returns               UInt32 CODEC(ZSTD(1)),
    return_share          Nullable(Float64) CODEC(ZSTD(1)),
    weekend_share         Nullable(Float64) CODEC(ZSTD(1)),
    morning_share         Nullable(Float64) CODEC(ZSTD(1)),
    active_days_30        UInt32 CODEC(ZSTD(1)),
    active_days_90        UInt32 CODEC(ZSTD(1)),
    tickets_90            UInt32 CODEC(ZSTD(1)),
    -- Beside the features: what segments and lifetime value are reckoned from.
    first_order_on        Nullable(Date) CODEC(ZSTD(1)),
    last_order_on         Nullable(Date) CODEC(ZSTD(1)),
    first_day_revenue     Decimal(38, 4) CODEC(ZSTD(1)),
    last_login_at         Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1))
)
ENGINE = {{engine:MergeTree}}
PARTITION BY snapshot_id
ORDER BY customer_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Where each customer who ever ordered stood at a snapshot. The same computation, the same partition.
CREATE TABLE IF NOT EXISTS customer_segments {{on_cluster}}
(
    snapshot_id     UUID,
    snapshot_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    customer_id     UUID,
    recency_days    UInt32 CODEC(ZSTD(1)),
    orders          UInt32 CODEC(ZSTD(1)),
    revenue         Decimal(38, 4) CODEC(ZSTD(1)),
    recency_score   UInt8,
    frequency_score UInt8,
    monetary_score  UInt8,
    segment         LowCardinality(String)
)
ENGINE = {{engine:MergeTree}}
PARTITION BY snapshot_id
ORDER BY customer_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
