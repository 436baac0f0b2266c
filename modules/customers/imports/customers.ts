import type { QueryParams } from '../../../src/core/analytics/index.ts';
import { ensureCustomers, idsByExternalIds } from '../service/references.ts';
import { BATCH_ROWS, type ImportRun } from './pipeline.ts';
import { remakeTable } from './tables.ts';

/** Rule of rows that name a customer nobody has heard of, when the business refuses such. */
export const CUSTOMER_UNKNOWN = 'CUSTOMER_UNKNOWN';

/** Customers asked for by one statement. */
const LOOKUP_ROWS = 20_000;

interface Named {
  readonly externalId: string;
  /** ISO text; absent where the customer is not to be made. */
  readonly seenAt?: string;
}

/**
 * Asks PostgreSQL once for each distinct customer of the file, in batches with a transaction each, and leaves the ids in
 * the side table `customers` for the join that loads the rows.
 * @param make SELECT of `externalId` and `seenAt` of customers that are made when they are unknown
 * @param find SELECT of `externalId` of customers that are only looked up
 * @returns how many were made
 */
export async function resolveCustomers(
  run: ImportRun,
  { make, find, params = {} }: { readonly make: string; readonly find?: string; readonly params?: QueryParams },
): Promise<number> {
  const table = await remakeTable(run, 'customers', 'external_id String, customer_id UUID');
  const create = run.options.unknownCustomer === 'create';
  let created = 0;
  let done = 0;
  const keep = async (batch: readonly Named[], making: boolean): Promise<void> => {
    const names = batch.map(({ externalId }) => externalId);
    const ids = await idsByExternalIds(run.database, names);
    const unknown = making ? batch.filter(({ externalId }) => !ids.has(externalId)) : [];
    for (let start = 0; start < unknown.length; start += BATCH_ROWS) {
      const wanted = unknown
        .slice(start, start + BATCH_ROWS)
        .map(({ externalId, seenAt }) => ({ externalId, seenAt: new Date(seenAt as string) }));
      const made = await run.database.transaction((tx) =>
        ensureCustomers(tx, run.call, run.clock, wanted, { origin: 'import', quiet: !run.job.live }),
      );
      for (const [externalId, id] of made) ids.set(externalId, id);
      created += made.size;
    }
    await run.analytics.insert(
      table,
      [...ids].map(([external_id, customer_id]) => ({ external_id, customer_id })),
    );
    done += batch.length;
    run.progress(done);
  };
  for await (const batch of inBatches(
    run.analytics.queryStream<Named>(make, params, { signal: run.signal }),
    LOOKUP_ROWS,
  )) {
    await keep(batch, create);
  }
  if (find !== undefined) {
    const rest = `SELECT externalId FROM (${find}) WHERE externalId NOT IN (SELECT external_id FROM ${table})`;
    for await (const batch of inBatches(
      run.analytics.queryStream<Named>(rest, {}, { signal: run.signal }),
      LOOKUP_ROWS,
    )) {
      await keep(batch, false);
    }
  }
  return created;
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
