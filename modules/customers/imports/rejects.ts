import type { Readable } from 'node:stream';
import type { Analytics } from '../../../src/core/analytics/index.ts';
import { RULE_MESSAGES } from './domain/messages.ts';
import { quoteList } from './sql.ts';

/** A row that was refused or dropped, by one rule. */
export interface RejectRow {
  readonly line: number;
  /** Empty when the whole row is meant. */
  readonly column: string;
  readonly rule: string;
  readonly value: string;
  readonly message: string;
}

/** What was said of the row itself, or what its rule says of every row. */
const MESSAGE = `if(message = '',
  transform(toString(rule), ${quoteList(Object.keys(RULE_MESSAGES))}, ${quoteList(Object.values(RULE_MESSAGES))}, ''),
  message) AS message`;
const ROWS = `FROM import_reject FINAL WHERE job_id = {job:UUID}`;

/** A page in the order of the file; `after` is the last one seen. Reads one stretch of the primary key. */
export function rejectsPage(
  analytics: Analytics,
  job: string,
  page: { readonly limit: number; readonly after: Pick<RejectRow, 'line' | 'column' | 'rule'> | null },
): Promise<RejectRow[]> {
  const { line = 0, column = '', rule = '' } = page.after ?? {};
  return analytics.query<RejectRow>(
    `SELECT line, column, rule, value, ${MESSAGE} ${ROWS} AND (line, column, rule) > ({line:UInt64}, {column:String}, {rule:String})
     ORDER BY line, column, rule LIMIT {limit:UInt32}`,
    { job, line, column, rule, limit: page.limit },
  );
}

/** All of them as a CSV file. */
export const rejectsFile = (analytics: Analytics, job: string): Promise<Readable> =>
  analytics.export(`SELECT line, column, rule, value, ${MESSAGE} ${ROWS} ORDER BY line, column, rule`, 'CSVWithNames', {
    job,
  });
