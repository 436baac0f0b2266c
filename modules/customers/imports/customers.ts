import type { QueryParams } from '../../../src/core/analytics/index.ts';
import type { NewCustomer } from '../contract.ts';
import { customersByExternalIds, ensureCustomers, linesOfCustomers } from '../service/references.ts';
import { BATCH_ROWS, type ImportRun } from './pipeline.ts';
import { remakeTable } from './tables.ts';

/** Rule of rows that name a customer nobody has heard of, when the business refuses such. */
export const CUSTOMER_UNKNOWN = 'CUSTOMER_UNKNOWN';

/** Customers asked for by one statement. */
const LOOKUP_ROWS = 20_000;

/** Batches under way at once: one is looked up while another is kept. */
const BATCHES_AT_ONCE = 2;

/** A customer of the file; last activity and first order are 0 for none. */
interface Named {
  readonly externalId: string;
  readonly make: boolean;
  /** ISO text. */
  readonly seenAt: string;
  readonly lastMs: number;
  readonly firstOrderMs: number;
}

interface Asked {
  /** SELECT of external id and time first seen of customers that are made when they are unknown; see `withActivity`. */
  readonly make: string;
  /** `make` goes on with last activity and first order in milliseconds (0 for none) and the number of events. */
  readonly withActivity?: boolean;
  /** SELECT of the external ids of customers that are only looked up. */
  readonly find?: string;
  readonly params?: QueryParams;
}

/**
 * Asks PostgreSQL once for each distinct customer of the file and leaves the ids in the side table `customers` for the
 * join that loads the rows; `moved` says of each whether the activity in the file goes beyond what is on record.
 * Those on record go from one engine to the other as lines of text; the others are looked at one by one.
 */
export async function resolveCustomers(run: ImportRun, asked: Asked): Promise<void> {
  const { make, withActivity = false, find, params = {} } = asked;
  const activity = 'last_ms Int64, first_order_ms Int64';
  const names = await remakeTable(
    run,
    'names',
    `external_id String, make Bool, seen_at DateTime64(3, 'UTC'), ${activity}, events UInt64`,
  );
  const known = await remakeTable(run, 'known', `external_id String, customer_id UUID, ${activity}`);
  const customers = await remakeTable(
    run,
    'customers',
    `external_id String, customer_id UUID, moved Bool, ${activity}, events UInt64`,
  );
  const columns = `external_id, seen_at${withActivity ? ', last_ms, first_order_ms, events' : ''}`;
  await run.analytics.command(`INSERT INTO ${names} (make, ${columns}) SELECT true, * FROM (${make})`, params);
  if (find !== undefined) {
    await run.analytics.command(
      `INSERT INTO ${names} (external_id) SELECT * FROM (${find}) WHERE externalId NOT IN (SELECT external_id FROM ${names})`,
    );
  }
  const onRecord = await keepKnown(run, names, known);
  await keepOthers(run, names, known, onRecord);
  await run.analytics.command(
    `INSERT INTO ${customers}
     SELECT n.external_id, k.customer_id,
       n.last_ms > k.last_ms OR (n.first_order_ms > 0 AND (k.first_order_ms = 0 OR n.first_order_ms < k.first_order_ms)),
       n.last_ms, n.first_order_ms, n.events
     FROM ${names} AS n INNER JOIN ${known} AS k ON k.external_id = n.external_id`,
  );
}

/** @returns how many are on record by their present names */
async function keepKnown(run: ImportRun, names: string, known: string): Promise<number> {
  let done = 0;
  const batches = run.analytics.queryStream<{ externalIds: string[] }>(
    `SELECT groupArray(external_id) AS externalIds FROM ${names} GROUP BY intDiv(rowNumberInAllBlocks(), ${LOOKUP_ROWS})`,
    {},
    { signal: run.signal },
  );
  await forEachAtOnce(flat(batches), BATCHES_AT_ONCE, async ({ externalIds }) => {
    const lines = await linesOfCustomers(run.database, externalIds);
    if (lines === '') return;
    await run.analytics.load(known, 'JSONCompactEachRow', Buffer.from(lines));
    done += lines.split('\n').length;
    run.progress(done);
  });
  return done;
}

/** Former ids of customers, and customers that are made, by batches with a transaction each. */
async function keepOthers(run: ImportRun, names: string, known: string, before: number): Promise<void> {
  let done = before;
  const others = run.analytics.queryStream<Named>(
    `SELECT external_id AS externalId, make, seen_at AS seenAt, last_ms AS lastMs, first_order_ms AS firstOrderMs
     FROM ${names} WHERE external_id NOT IN (SELECT external_id FROM ${known})`,
    {},
    { signal: run.signal },
  );
  const create = run.options.unknownCustomer === 'create';
  await forEachAtOnce(inBatches(others), BATCHES_AT_ONCE, async (batch) => {
    const externalIds = batch.map(({ externalId }) => externalId);
    const found = await customersByExternalIds(run.database, externalIds);
    const wanted = batch.filter(({ externalId, make }) => create && make && !found.has(externalId)).map(newCustomer);
    const made = wanted.length === 0 ? [] : await makeCustomers(run, wanted);
    // Of a customer made meanwhile by somebody else nothing is taken for known: what the file tells is written again.
    for (const [externalId, id] of made) found.set(externalId, { id, lastActivityMs: null, firstOrderMs: null });
    await run.analytics.insert(
      known,
      [...found].map(([externalId, { id, lastActivityMs, firstOrderMs }]) => ({
        external_id: externalId,
        customer_id: id,
        last_ms: lastActivityMs,
        first_order_ms: firstOrderMs,
      })),
      { columns: ['external_id', 'customer_id', 'last_ms', 'first_order_ms'] },
    );
    done += batch.length;
    run.progress(done);
  });
}

const makeCustomers = (run: ImportRun, wanted: readonly NewCustomer[]): Promise<Map<string, string>> =>
  run.database.transaction(async (tx) => {
    const all = await ensureCustomers(tx, run.call, run.clock, wanted, { origin: 'import', quiet: !run.job.live });
    await run.counted(tx, { customersCreated: all.size });
    return all;
  });

const newCustomer = ({ externalId, seenAt, lastMs, firstOrderMs }: Named): NewCustomer => ({
  externalId,
  seenAt: new Date(seenAt),
  lastActivityAt: momentOf(lastMs),
  firstOrderAt: momentOf(firstOrderMs),
});

const momentOf = (ms: number): Date | null => (ms > 0 ? new Date(ms) : null);

async function* flat<Row>(batches: AsyncIterable<Row[]>): AsyncGenerator<Row> {
  for await (const rows of batches) yield* rows;
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
