import type { Database, Tx } from '../../src/core/database/index.ts';
import type { CustomerPort } from '../customers/contract.ts';

/** Customers written at once: bounds the length of a transaction. */
const WRITE_BATCH = 2_500;

/** Writes batches of customers who live, each in a transaction of its own. */
export function createBatchWriter(database: Database, customers: CustomerPort) {
  return async <Row extends { readonly customerId: string }>(
    rows: readonly Row[],
    write: (tx: Tx, batch: readonly Row[]) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    for (let start = 0; start < rows.length; start += WRITE_BATCH) {
      signal?.throwIfAborted();
      const batch = rows.slice(start, start + WRITE_BATCH);
      const ids = batch.map(({ customerId }) => customerId);
      await database.transaction(async (tx) => {
        const living = new Set((await customers.byIds(ids, tx)).map(({ id }) => id));
        await write(
          tx,
          batch.filter(({ customerId }) => living.has(customerId)),
        );
      });
    }
  };
}

export type BatchWriter = ReturnType<typeof createBatchWriter>;
