import type { QueryParams } from '../../../src/core/analytics/index.ts';
import type { NewCustomer } from '../contract.ts';
import { customersByExternalIds, ensureCustomers, type KnownCustomer } from '../service/references.ts';
import { BATCH_ROWS, type ImportRun } from './pipeline.ts';
import { remakeTable } from './tables.ts';

/** Rule of rows that name a customer nobody has heard of, when the business refuses such. */
export const CUSTOMER_UNKNOWN = 'CUSTOMER_UNKNOWN';

/** Customers asked for by one statement. */
const LOOKUP_ROWS = 20_000;

/** Batches under way at once: one is read while another is looked up and a third is kept. */
const BATCHES_AT_ONCE = 3;

interface Named {
  readonly externalId: string;
  /** ISO text; absent where the customer is not to be made. */
  readonly seenAt?: string;
  /** Last activity and first order in the file; 0 for none, absent where it is not asked for. */
  readonly last_ms?: number;
  readonly first_order_ms?: number;
  /** What else is to be kept beside the id. */
  readonly [kept: string]: unknown;
}

/**
 * Asks PostgreSQL once for each distinct customer of the file, in batches with a transaction each, and leaves the ids in
 * the side table `customers` for the join that loads the rows. Where the activity in the file is asked for (`last_ms`,
 * `first_order_ms`), `moved` says of each customer whether it goes beyond what is on record.
 * @param make SELECT of `externalId`, `seenAt` and what `kept` names, of customers that are made when they are unknown
 * @param kept more columns of the side table, with their types
 * @param find SELECT of `externalId` of customers that are only looked up
 */
export async function resolveCustomers(
  run: ImportRun,
  ask: { readonly make: string; readonly find?: string; readonly params?: QueryParams; readonly kept?: string },
): Promise<void> {
  const { make, find, params = {}, kept } = ask;
  const columns = 'external_id String, customer_id UUID, moved Bool';
  const table = await remakeTable(run, 'customers', kept === undefined ? columns : `${columns}, ${kept}`);
  const create = run.options.unknownCustomer === 'create';
  let done = 0;
  const keep = async (batch: readonly Named[], making: boolean): Promise<void> => {
    const known = await customersByExternalIds(
      run.database,
      batch.map(({ externalId }) => externalId),
    );
    const unknown = making ? batch.filter(({ externalId }) => !known.has(externalId)) : [];
    for (let start = 0; start < unknown.length; start += BATCH_ROWS) {
      const wanted = unknown.slice(start, start + BATCH_ROWS).map(newCustomer);
      const made = await run.database.transaction(async (tx) => {
        const all = await ensureCustomers(tx, run.call, run.clock, wanted, { origin: 'import', quiet: !run.job.live });
        await run.counted(tx, { customersCreated: all.size });
        return all;
      });
      for (const [externalId, id] of made) known.set(externalId, { id, lastActivityMs: null, firstOrderMs: null });
    }
    await run.analytics.insert(
      table,
      batch.flatMap((named) => {
        const { externalId, seenAt: _, ...rest } = named;
        const found = known.get(externalId);
        if (found === undefined) return [];
        return [{ external_id: externalId, customer_id: found.id, moved: isBeyond(named, found), ...rest }];
      }),
    );
    done += batch.length;
    run.progress(done);
  };
  const read = (sql: string, values: QueryParams) =>
    inBatches(run.analytics.queryStream<Named>(sql, values, { signal: run.signal }), LOOKUP_ROWS);
  await forEachAtOnce(read(make, params), BATCHES_AT_ONCE, (batch) => keep(batch, create));
  if (find !== undefined) {
    const rest = `SELECT externalId FROM (${find}) WHERE externalId NOT IN (SELECT external_id FROM ${table})`;
    await forEachAtOnce(read(rest, {}), BATCHES_AT_ONCE, (batch) => keep(batch, false));
  }
}

const newCustomer = ({ externalId, seenAt, last_ms, first_order_ms }: Named): NewCustomer => ({
  externalId,
  seenAt: new Date(seenAt as string),
  lastActivityAt: momentOf(last_ms),
  firstOrderAt: momentOf(first_order_ms),
});

const momentOf = (ms = 0): Date | null => (ms > 0 ? new Date(ms) : null);

function isBeyond(
  { last_ms = 0, first_order_ms = 0 }: Named,
  { lastActivityMs, firstOrderMs }: KnownCustomer,
): boolean {
  return (
    last_ms > (lastActivityMs ?? 0) ||
    (first_order_ms > 0 && first_order_ms < (firstOrderMs ?? Number.POSITIVE_INFINITY))
  );
}

/** Runs `work` on each item, some at once. The first failure ends it, when what is under way is done. */
export async function forEachAtOnce<T>(
  items: AsyncIterable<T>,
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const item of items) {
      const one: Promise<void> = work(item)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => underWay.delete(one));
      underWay.add(one);
      if (underWay.size >= most) await Promise.race(underWay);
      if (failure !== undefined) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  if (failure !== undefined) throw failure.error;
}

/** Rows regrouped into batches of one size. */
export async function* inBatches<Row>(source: AsyncIterable<Row[]>, size: number = BATCH_ROWS): AsyncGenerator<Row[]> {
  let waiting: Row[] = [];
  for await (const rows of source) {
    waiting = waiting.length === 0 ? rows : waiting.concat(rows);
    while (waiting.length >= size) {
      yield waiting.slice(0, size);
      waiting = waiting.slice(size);
    }
  }
  if (waiting.length > 0) yield waiting;
}
