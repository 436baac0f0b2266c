-- Why a row was refused, where its rule alone does not say so; '' where it does.
ALTER TABLE import_reject {{on_cluster}} ADD COLUMN IF NOT EXISTS message String DEFAULT '' CODEC(ZSTD(1)) AFTER value;
