import type { Analytics } from '../../../src/core/analytics/types.ts';
import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import { FEATURES } from '../domain/catalogue.ts';
import type { FeatureTerms } from './features.ts';

export type SnapshotKind = 'MONTH' | 'LATEST';

/** A computation of all features that is in force. */
export interface FeatureSnapshot {
  readonly id: string;
  readonly at: Date;
  readonly kind: SnapshotKind;
  readonly watermark: Date;
  readonly inputHash: string;
  readonly contentHash: string;
  readonly customers: number;
  readonly catalogueVersion: number;
  readonly terms: FeatureTerms;
  readonly computedAt: Date;
}

const COLUMNS = `id, snapshot_at as "at", kind, watermark, input_hash as "inputHash", content_hash as "contentHash", customers,
  catalogue_version as "catalogueVersion", terms, computed_at as "computedAt"`;

/** Snapshots in force, the newest first. */
export function listSnapshots(
  database: Queryable,
  limit: number,
  before: Date | null = null,
): Promise<FeatureSnapshot[]> {
  return database.query<FeatureSnapshot>(
    `select ${COLUMNS} from feature_snapshot where $1::timestamptz is null or snapshot_at < $1 order by snapshot_at desc limit $2`,
    [before, limit],
  );
}

/** The snapshot of an instant, or the newest not after it. */
export async function snapshotAt(database: Queryable, at: Date | null): Promise<FeatureSnapshot | null> {
  const [found] = await database.query<FeatureSnapshot>(
    `select ${COLUMNS} from feature_snapshot where $1::timestamptz is null or snapshot_at <= $1 order by snapshot_at desc limit 1`,
    [at],
  );
  return found ?? null;
}

export async function snapshotById(database: Queryable, id: string): Promise<FeatureSnapshot | null> {
  const [found] = await database.query<FeatureSnapshot>(`select ${COLUMNS} from feature_snapshot where id = $1`, [id]);
  return found ?? null;
}

/** Puts computations in force, each in the place of the former one of its instant, and lets those go that are due. */
export async function putInForce(tx: Tx, snapshots: readonly FeatureSnapshot[], keep: readonly Date[]): Promise<void> {
  await tx.query('delete from feature_snapshot where not snapshot_at = any($1::timestamptz[])', [keep]);
  await tx.query(
    `insert into feature_snapshot (id, snapshot_at, kind, watermark, input_hash, content_hash, customers, catalogue_version, terms, computed_at)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::int[], $8::int[], $9::jsonb[], $10::timestamptz[])
     on conflict (snapshot_at) do update set id = excluded.id, kind = excluded.kind, watermark = excluded.watermark,
       input_hash = excluded.input_hash, content_hash = excluded.content_hash, customers = excluded.customers,
       catalogue_version = excluded.catalogue_version, terms = excluded.terms, computed_at = excluded.computed_at`,
    [
      snapshots.map(({ id }) => id),
      snapshots.map(({ at }) => at),
      snapshots.map(({ kind }) => kind),
      snapshots.map(({ watermark }) => watermark),
      snapshots.map(({ inputHash }) => inputHash),
      snapshots.map(({ contentHash }) => contentHash),
      snapshots.map(({ customers }) => customers),
      snapshots.map(({ catalogueVersion }) => catalogueVersion),
      snapshots.map(({ terms }) => JSON.stringify(terms)),
      snapshots.map(({ computedAt }) => computedAt),
    ],
  );
}

/** What was received of the rows before one instant and not before the one before it. */
export interface InputSlice {
  /** Place of the instant, from 1; 0 is behind all of them. */
  readonly slot: number;
  readonly source: string;
  readonly rows: number;
  readonly hash: string;
  readonly receivedMs: number;
}

/** Fingerprints of all rows that features are computed from: reads a few narrow columns, and folds nothing. */
export function inputSlices(
  analytics: Analytics,
  instants: readonly Date[],
  passiveNames: readonly string[],
): Promise<InputSlice[]> {
  const slice = (source: string, uid: string, where: string) => `
    select '${source}' as source, toUInt32(arrayFirstIndex(b -> toUnixTimestamp64Milli(at) < b, {instants:Array(Int64)})) as slot,
      count() as rows, toString(sum(cityHash64(${uid}, customer_id, at, received_at))) as hash,
      toUnixTimestamp64Milli(max(received_at)) as receivedMs
    from ${source} where ${where} group by slot`;
  return analytics.query<InputSlice>(
    `select * from (
       ${slice('events', 'event_uid', 'name not in {passive:Array(String)}')}
       union all ${slice('order_lines', 'line_uid', "taken_out = 'kept'")}
       union all
       select 'customer_alias' as source, toUInt32(1) as slot, count() as rows,
         toString(sum(cityHash64(customer_id, survivor_id, merged_at))) as hash, toInt64(0) as receivedMs
       from customer_alias
     ) order by source, slot`,
    { instants: instants.map((at) => at.getTime()), passive: passiveNames },
  );
}

/** First days of the months in which anything happened that features look at, the newest first, `YYYY-MM-DD`. */
export async function activeMonths(
  analytics: Analytics,
  options: {
    readonly passiveNames: readonly string[];
    readonly timeZone: string;
    readonly before: Date;
    readonly limit: number;
  },
): Promise<string[]> {
  const { passiveNames, timeZone, before, limit } = options;
  const rows = await analytics.query<{ month: string }>(
    `select distinct toString(toStartOfMonth(toDate(at, {zone:String}))) as month from events
     where name not in {passive:Array(String)} and at < {before:DateTime64(3, 'UTC')} order by month desc limit {limit:UInt16}`,
    { passive: passiveNames, zone: timeZone, before, limit },
  );
  return rows.map(({ month }) => month);
}

/** Rows of computations and a hash of all they say, whatever their order. */
export async function contentOf(
  analytics: Analytics,
  ids: readonly string[],
): Promise<Map<string, { readonly customers: number; readonly hash: string }>> {
  const columns = ['snapshot_at', 'customer_id', ...FEATURES.map(({ column }) => column)];
  const rows = await analytics.query<{ id: string; customers: number; hash: string }>(
    `select snapshot_id as id, toUInt32(count()) as customers, hex(groupBitXor(reinterpretAsUInt128(sipHash128(toString(tuple(${columns.join(', ')})))))) as hash
     from customer_features where snapshot_id in {ids:Array(UUID)} group by snapshot_id`,
    { ids },
  );
  return new Map(rows.map(({ id, customers, hash }) => [id, { customers, hash }]));
}

/** Drops computations that are not in force: former ones, and what a crash left behind. */
export async function dropOthers(analytics: Analytics, database: Queryable): Promise<number> {
  const inForce = new Set(
    (await database.query<{ id: string }>('select id from feature_snapshot')).map(({ id }) => id),
  );
  const { cluster } = analytics.layout;
  const on = cluster === undefined ? '' : `on cluster \`${cluster}\``;
  const partitions = await analytics.query<{ table: string; id: string }>(
    `select distinct table, partition as id from system.parts
     where active and database = {database:String} and table in ('customer_features', 'customer_segments')`,
    { database: analytics.database },
  );
  const left = partitions.filter(({ id }) => !inForce.has(id));
  for (const { table, id } of left) await analytics.command(`alter table ${table} ${on} drop partition '${id}'`);
  return left.length;
}
