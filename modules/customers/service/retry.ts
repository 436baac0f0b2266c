import type { Database } from '../../../src/core/database/index.ts';

/** A row named a customer that was merged away between our look and our write. */
const FOREIGN_KEY_VIOLATION = '23503';
const ATTEMPTS = 3;

/** Transactions that begin anew when a customer they had found is merged away meanwhile: then they find the other one. */
export const retrying = (database: Pick<Database, 'transaction'>): Pick<Database, 'transaction'> => ({
  async transaction(run, options) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await database.transaction(run, options);
      } catch (error) {
        const code = (error as { code?: unknown }).code;
        if (code !== FOREIGN_KEY_VIOLATION || attempt === ATTEMPTS) throw error;
      }
    }
  },
});
