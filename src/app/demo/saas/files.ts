import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import type { RecordType } from '../../../../modules/customers/imports/contract.ts';
import { formatMinor } from '../../../core/money.ts';
import { type Account, accountsOf, type SaasOptions } from './accounts.ts';
import { CURRENCY } from './business.ts';
import { iso } from './calendar.ts';

type Row = readonly (string | number | null)[];

interface FileKind {
  readonly type: RecordType;
  readonly name: string;
  readonly header: readonly string[];
  rowsOf(account: Account): Iterable<Row>;
}

const customerId = ({ number }: Account): string => `A-${String(number).padStart(5, '0')}`;
const ownId = (kind: string, account: Account, at: number): string =>
  `${kind}-${String(account.number).padStart(5, '0')}-${at + 1}`;
const money = (amountMinor: number): string => formatMinor({ amountMinor, currency: CURRENCY });
const time = (atMs: number | null): string => (atMs === null ? '' : iso(atMs));

/** The files in the order in which they are to be imported, with the fields of the product's own imports as columns. */
export const FILES: readonly FileKind[] = [
  {
    type: 'CUSTOMERS',
    name: 'customers.csv',
    // Columns that are no field become traits.
    header: [
      'externalId',
      'name',
      'businessSegment',
      'ownerEmail',
      'status',
      'signupAt',
      'churnedAt',
      'churnReason',
      'country',
      'employees',
    ],
    *rowsOf(account) {
      const { name, segment, owner, country, employees, life } = account;
      yield [
        customerId(account),
        name,
        segment.name,
        owner,
        life.status,
        time(life.signupAtMs),
        time(life.churnedAtMs),
        life.churnReason,
        country.code,
        employees,
      ];
    },
  },
  {
    type: 'CONTACTS',
    name: 'contacts.csv',
    header: ['customerExternalId', 'externalId', 'email', 'name', 'timeZone', 'locale'],
    *rowsOf(account) {
      const { timeZone, locale } = account.country;
      for (const [at, { name, email }] of account.contacts.entries())
        yield [customerId(account), ownId('C', account, at), email, name, timeZone, locale];
    },
  },
  {
    type: 'SUBSCRIPTIONS',
    name: 'subscriptions.csv',
    // A row for each state a subscription was in, and one for its end.
    header: [
      'externalId',
      'customerExternalId',
      'plan',
      'mrr',
      'currency',
      'startedAt',
      'changedAt',
      'cancelledAt',
      'cancelReason',
    ],
    *rowsOf(account) {
      for (const [at, { states, cancelledAtMs, reason }] of account.life.subscriptions.entries()) {
        const id = ownId('S', account, at);
        const startedAt = time(states[0]?.atMs ?? null);
        let last: Row = [];
        for (const { atMs, plan, mrrMinor } of states) {
          last = [id, customerId(account), plan, money(mrrMinor), CURRENCY, startedAt];
          yield [...last, time(atMs), '', ''];
        }
        if (cancelledAtMs !== null) yield [...last, time(cancelledAtMs), time(cancelledAtMs), reason];
      }
    },
  },
  {
    type: 'INVOICES',
    name: 'invoices.csv',
    header: ['externalId', 'customerExternalId', 'amount', 'currency', 'issuedAt', 'dueAt', 'paidAt'],
    *rowsOf(account) {
      for (const [at, { amountMinor, issuedAtMs, dueAtMs, paidAtMs }] of account.invoices.entries()) {
        const times = [issuedAtMs, dueAtMs, paidAtMs].map(time);
        yield [ownId('I', account, at), customerId(account), money(amountMinor), CURRENCY, ...times];
      }
    },
  },
  {
    type: 'TICKETS',
    name: 'tickets.csv',
    header: ['externalId', 'customerExternalId', 'priority', 'openedAt', 'firstResponseAt', 'solvedAt', 'satisfaction'],
    *rowsOf(account) {
      for (const [at, { priority, openedAtMs, firstResponseAtMs, solvedAtMs, rating }] of account.tickets.entries()) {
        const times = [openedAtMs, firstResponseAtMs, solvedAtMs].map(time);
        yield [ownId('T', account, at), customerId(account), priority, ...times, rating];
      }
    },
  },
  {
    type: 'EVENTS',
    name: 'events.csv',
    header: ['name', 'at', 'customerExternalId', 'value', 'properties'],
    *rowsOf(account) {
      const customer = customerId(account);
      for (const { name, atMs, value, properties } of account.events)
        yield [name, iso(atMs), customer, value, properties];
    },
  },
];

/** Text that is written at once: few calls, and little in memory. */
const CHUNK_CHARACTERS = 1 << 18;
/** So often progress is told. */
const TELL_EVERY_ACCOUNTS = 100;

const cell = (value: string | number | null): string => {
  if (value === null) return '';
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Writes one file as fast as the disk takes it. */
class Writer {
  readonly #stream: WriteStream;
  #waiting = '';

  constructor(file: string) {
    this.#stream = createWriteStream(file, { mode: 0o600 });
  }

  add(row: Row): void {
    this.#waiting += `${row.map(cell).join(',')}\n`;
  }

  async flush(least = CHUNK_CHARACTERS): Promise<void> {
    if (this.#waiting.length < least) return;
    const text = this.#waiting;
    this.#waiting = '';
    if (!this.#stream.write(text)) await once(this.#stream, 'drain');
  }

  async close(): Promise<void> {
    await this.flush(1);
    this.#stream.end();
    await finished(this.#stream);
  }
}

/** How many rows each file has, by its name. */
export type RowCounts = Readonly<Record<string, number>>;

/**
 * Writes a generated business as import files, in one pass that holds one account in memory.
 * @param onProgress told how many accounts are written
 */
export async function writeFiles(
  folder: string,
  options: SaasOptions,
  onProgress: (accounts: number) => void = () => {},
): Promise<RowCounts> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = FILES.map((kind) => ({ kind, writer: new Writer(path.join(folder, kind.name)), rows: 0 }));
  for (const { kind, writer } of files) writer.add(kind.header);
  for (const account of accountsOf(options)) {
    for (const file of files) {
      for (const row of file.kind.rowsOf(account)) {
        file.writer.add(row);
        file.rows += 1;
      }
      await file.writer.flush();
    }
    if (account.number % TELL_EVERY_ACCOUNTS === 0) onProgress(account.number);
  }
  for (const { writer } of files) await writer.close();
  return Object.fromEntries(files.map(({ kind, rows }) => [kind.name, rows]));
}
