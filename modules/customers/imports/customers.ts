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
  /** What else is to be kept beside the id. */
  readonly [kept: string]: unknown;
}

/**
 * Asks PostgreSQL once for each distinct customer of the file, in batches with a transaction each, and leaves the ids in
 * the side table `customers` for the join that loads the rows.
 * @param make SELECT of `externalId`, `seenAt` and what `kept` names, of customers that are made when they are unknown
 * @param kept more columns of the side table, with their types
 * @param find SELECT of `externalId` of customers that are only looked up
 */
export async function resolveCustomers(
  run: ImportRun,
  ask: { readonly make: string; readonly find?: string; readonly params?: QueryParams; readonly kept?: string },
): Promise<void> {
  const { make, find, params = {}, kept } = ask;
  const columns = 'external_id String, customer_id UUID';
  const table = await remakeTable(run, 'customers', kept === undefined ? columns : `${columns}, ${kept}`);
  const create = run.options.unknownCustomer === 'create';
  let done = 0;
  const keep = async (batch: readonly Named[], making: boolean): Promise<void> => {
    const names = batch.map(({ externalId }) => externalId);
    const ids = await idsByExternalIds(run.database, names);
    const unknown = making ? batch.filter(({ externalId }) => !ids.has(externalId)) : [];
    for (let start = 0; start < unknown.length; start += BATCH_ROWS) {
      const wanted = unknown
        .slice(start, start + BATCH_ROWS)
        .map(({ externalId, seenAt }) => ({ externalId, seenAt: new Date(seenAt as string) }));
      const made = await run.database.transaction(async (tx) => {
        const all = await ensureCustomers(tx, run.call, run.clock, wanted, { origin: 'import', quiet: !run.job.live });
        await run.counted(tx, { customersCreated: all.size });
        return all;
      });
      for (const [externalId, id] of made) ids.set(externalId, id);
    }
    await run.analytics.insert(
      table,
      batch.flatMap(({ externalId, seenAt: _, ...rest }) => {
        const id = ids.get(externalId);
        return id === undefined ? [] : [{ external_id: externalId, customer_id: id, ...rest }];
      }),
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
