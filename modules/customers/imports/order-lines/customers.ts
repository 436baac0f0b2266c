import { CUSTOMER_UNKNOWN, resolveCustomers } from '../customers.ts';
import type { ImportRun } from '../pipeline.ts';
import { quote } from '../sql.ts';
import { partaking, takenOut } from './stages.ts';

/**
 * Customers are made for lines that are kept. Who only ever returned things, or whose lines were all dropped, is found
 * when known already and not made: nothing was sold to them as far as the file knows.
 */
export async function orderCustomers(run: ImportRun): Promise<void> {
  const lines = `FROM ${run.stage.table} WHERE ${partaking(run)} AND customer != ''`;
  await resolveCustomers(run, {
    make: `SELECT customer AS externalId, min(assumeNotNull(at)) AS seenAt ${lines} AND ${takenOut(run)} = 'kept' GROUP BY customer`,
    find: `SELECT DISTINCT customer AS externalId ${lines} AND ${takenOut(run)} != 'kept'`,
  });
  if (run.options.unknownCustomer === 'reject') {
    await run.analytics.command(
      `INSERT INTO import_reject (job_id, line, column, rule, value)
       SELECT {job:UUID}, line, {column:String}, ${quote(CUSTOMER_UNKNOWN)}, customer ${lines}
         AND ${takenOut(run)} = 'kept' AND customer NOT IN (SELECT external_id FROM ${run.stage.table}_customers)`,
      {
        job: run.job.id,
        column: run.options.mapping.find(({ field }) => field === 'customerExternalId')?.column ?? '',
      },
    );
  }
}
