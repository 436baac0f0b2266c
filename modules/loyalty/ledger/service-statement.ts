import { Readable } from 'node:stream';
import type { Queryable } from '../../../src/core/database/index.ts';
import { csvLine } from '../csv.ts';
import { AccountNotFound } from '../errors.ts';
import type { EntryRow } from './queries.ts';
import { lastEntryNumber, statementRows } from './queries-reads.ts';

/** A stretch of recorded time, half-open; an end that is null is open. */
export interface Period {
  readonly from: Date | null;
  readonly to: Date | null;
}

/** Rows read at once: the file is written as it is read, so one of any length takes no more memory than this. */
const PAGE = 1_000;

const COLUMNS: readonly (readonly [string, (entry: EntryRow) => string | number | null])[] = [
  ['number', (entry) => entry.number],
  ['recorded_at', (entry) => entry.recordedAt.toISOString()],
  ['effective_at', (entry) => entry.effectiveAt.toISOString()],
  ['kind', (entry) => entry.kind],
  ['phase', (entry) => entry.phase],
  ['source', (entry) => entry.source],
  ['rule', (entry) => entry.rule],
  ['points', (entry) => entry.points],
  ['balance', (entry) => entry.balanceAfter],
  ['pending', (entry) => entry.pending],
  ['held', (entry) => entry.held],
  ['debt', (entry) => entry.debt],
  ['expires_at', (entry) => entry.expiresAt?.toISOString() ?? null],
  ['entry_id', (entry) => entry.id],
  ['reason', (entry) => entry.reason],
];

/**
 * A statement of account as a CSV file, the oldest entry first, each with the balance after it. It ends with the entry
 * that was the last one when it was asked for.
 * @throws AccountNotFound
 */
export async function statementFile(database: Queryable, accountId: string, period: Period): Promise<Readable> {
  const last = await lastEntryNumber(database, accountId);
  if (last === null) throw new AccountNotFound(accountId);
  return Readable.from(linesOf(database, accountId, period, last), { objectMode: false, encoding: 'utf8' });
}

async function* linesOf(database: Queryable, accountId: string, period: Period, last: number): AsyncGenerator<string> {
  yield csvLine(COLUMNS.map(([name]) => name));
  for (let after = 0; after < last; ) {
    const rows = await statementRows(database, { accountId, period, after, last, limit: PAGE });
    if (rows.length > 0) yield rows.map((entry) => csvLine(COLUMNS.map(([, of]) => of(entry)))).join('');
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.number ?? last;
  }
}
