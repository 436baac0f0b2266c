import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Analytics,
  checkRows,
  dropAbandonedStages,
  type FileRefused,
  openAnalytics,
  type StageColumn,
  type StagedFile,
  type StageOptions,
  stageFile,
} from '../../src/core/analytics/index.ts';
import { type TemporaryFolder, temporaryFolder } from './support.ts';

const folder: TemporaryFolder = temporaryFolder();
let analytics: Analytics;

beforeAll(async () => {
  analytics = await openAnalytics({ path: path.join(folder.path, 'clickhouse') }, { database: 'staging' });
});
afterAll(async () => {
  await analytics?.close();
  folder.remove();
});

const column = (name: string, from: string, required = true): StageColumn => ({ name, from, required });
const COLUMNS = [column('customer', 'Customer ID'), column('at', 'At'), column('price', 'Price', false)];

async function* inPieces(bytes: Buffer, size = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const stage = (content: string | Buffer, options: Partial<StageOptions> = {}): Promise<StagedFile> =>
  stageFile(analytics, inPieces(Buffer.from(content)), { format: 'csv', columns: COLUMNS, ...options });

const rowsOf = (staged: StagedFile, columns = 'line, row, customer, at, price, extra') =>
  analytics.query<Record<string, unknown>>(`SELECT ${columns} FROM ${staged.table} ORDER BY row`);

const rejectsOf = (staged: StagedFile) =>
  analytics.query<Record<string, unknown>>(
    `SELECT line, row, column, rule, value FROM ${staged.rejects} ORDER BY row, rule`,
  );

const refusal = async (content: string | Buffer, options: Partial<StageOptions> = {}) => {
  const error: unknown = await stage(content, options).catch((thrown: unknown) => thrown);
  const { code, reason, message } = error as FileRefused;
  return { code, reason, message };
};

const tables = () =>
  analytics.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = 'staging' AND name LIKE 'stage_%'`,
  );

describe('staging a CSV', () => {
  test('puts wanted columns, the rest as JSON, and line numbers into a table', async () => {
    const content =
      '\uFEFFCustomer ID,At,Price,Note,Plan\r\n"c1",2026-01-01,1.50,"a ""b""\r\nc",pro\r\nc2,2026-01-02,,,\r\n';
    const staged = await stage(content);
    expect(staged).toMatchObject({
      header: ['Customer ID', 'At', 'Price', 'Note', 'Plan'],
      absent: [],
      rows: 2,
      rejected: 0,
      findings: [],
      bytes: Buffer.byteLength(content),
    });
    expect(await rowsOf(staged)).toEqual([
      {
        line: 2,
        row: 1,
        customer: 'c1',
        at: '2026-01-01',
        price: '1.50',
        extra: '{"Note":"a \\"b\\"\\r\\nc","Plan":"pro"}',
      },
      { line: 4, row: 2, customer: 'c2', at: '2026-01-02', price: '', extra: '{}' },
    ]);
    await staged.drop();
    expect(await tables()).toEqual([]);
  });

  test('finds the delimiter, and lets optional columns be absent', async () => {
    const staged = await stage('At;"Customer ID";x\n2026-01-01;a,b;1\n', { extra: 'ignore' });
    expect(staged.absent).toEqual(['Price']);
    expect(await rowsOf(staged)).toEqual([
      { line: 2, row: 1, customer: 'a,b', at: '2026-01-01', price: '', extra: '{}' },
    ]);
    const tabs = await stage('At\tCustomer ID\n2026-01-01\tc\n');
    expect(await rowsOf(tabs, 'customer')).toEqual([{ customer: 'c' }]);
    await Promise.all([staged.drop(), tabs.drop()]);
  });

  test('names every broken record and keeps the good ones', async () => {
    const bytes = Buffer.concat([
      Buffer.from('Customer ID,At,Price\nok,1,1\nfew,2\n"stray,3,3\nok,4,4\nmany,5,5,5\nbad '),
      Buffer.of(0xff),
      Buffer.from(',6,6\nnul,\0,7\nok,8,8\n"open,9,9'),
    ]);
    const staged = await stage(bytes);
    expect(await rowsOf(staged, 'line, row, at')).toEqual([
      { line: 2, row: 1, at: '1' },
      { line: 5, row: 4, at: '4' },
      { line: 9, row: 8, at: '8' },
    ]);
    expect(await rejectsOf(staged)).toEqual([
      { line: 3, row: 2, column: '', rule: 'TOO_FEW_COLUMNS', value: 'few,2' },
      { line: 4, row: 3, column: '', rule: 'TEXT_AFTER_QUOTE', value: '"stray,3,3' },
      { line: 6, row: 5, column: '', rule: 'TOO_MANY_COLUMNS', value: 'many,5,5,5' },
      { line: 7, row: 6, column: '', rule: 'INVALID_ENCODING', value: 'bad \uFFFD,6,6' },
      { line: 8, row: 7, column: '', rule: 'NUL_BYTE', value: 'nul,\uFFFD,7' },
      { line: 10, row: 9, column: '', rule: 'UNCLOSED_QUOTE', value: '"open,9,9' },
    ]);
    expect(staged).toMatchObject({ rows: 3, rejected: 6 });
    expect(staged.findings).toContainEqual({ rule: 'UNCLOSED_QUOTE', column: null, count: 1 });
    await staged.drop();
  });

  test('passes over a line of 100 MB in bounded memory', { timeout: 60_000 }, async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    async function* file() {
      yield Buffer.from('Customer ID,At\nbefore,1\n');
      for (let at = 0; at < 100; at += 1) yield piece;
      yield Buffer.from('\nafter,2\n');
    }
    const before = process.memoryUsage().rss;
    const staged = await stageFile(analytics, file(), { format: 'csv', columns: COLUMNS });
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * 1024 * 1024);
    expect(await rowsOf(staged, 'line, customer')).toEqual([
      { line: 2, customer: 'before' },
      { line: 4, customer: 'after' },
    ]);
    expect(await rejectsOf(staged)).toEqual([
      { line: 3, row: 2, column: '', rule: 'RECORD_TOO_LONG', value: 'x'.repeat(200) },
    ]);
    await staged.drop();
  });

  test('reads gzip and Windows-1252', async () => {
    const file = path.join(folder.path, 'latin.csv.gz');
    const stored = gzipSync(
      Buffer.concat([Buffer.from('Customer ID,At\ncaf'), Buffer.of(0xe9, 0x20, 0x80), Buffer.from(',1\n')]),
    );
    writeFileSync(file, stored);
    const staged = await stageFile(analytics, file, { format: 'csv', columns: COLUMNS, encoding: 'windows-1252' });
    expect(await rowsOf(staged, 'customer')).toEqual([{ customer: 'café €' }]);
    expect(staged.bytes).toBe(stored.length);
    await staged.drop();
  });

  test('works values out once while staging', async () => {
    const staged = await stage('Customer ID,At,Price\nc,2026-01-02T03:04:05Z,1.5\nd,soon,free\n', {
      derived: [
        {
          name: 'at_time',
          type: `Nullable(DateTime64(3, 'UTC'))`,
          sql: `parseDateTime64BestEffortOrNull(at, 3, 'UTC')`,
        },
        { name: 'price_exact', type: 'Nullable(Decimal(18, 4))', sql: 'toDecimal64OrNull(price, 4)' },
      ],
    });
    expect(await rowsOf(staged, 'at_time, price_exact')).toEqual([
      { at_time: '2026-01-02T03:04:05.000Z', price_exact: '1.5' },
      { at_time: null, price_exact: null },
    ]);
    await staged.drop();
  });

  test('refuses whole files that are no such table, and leaves nothing behind', async () => {
    const header = 'Customer ID,At\n';
    const answers = {
      empty: await refusal(''),
      utf16: await refusal(Buffer.from(`\uFEFF${header}c,1\n`, 'utf16le')),
      utf16WithoutMark: await refusal(Buffer.from(`${header}c,1\n`, 'utf16le')),
      spreadsheet: await refusal(Buffer.from('PK\u0003\u0004 and so on')),
      latinHeader: await refusal(Buffer.concat([Buffer.from('Customer ID,At,Pr'), Buffer.of(0xe9), Buffer.from('\n')])),
      binary: await refusal(Buffer.from('Customer ID,At\0,x\n')),
      twice: await refusal('Customer ID,At,At\nc,1,2\n'),
      missing: await refusal('Customer,At\nc,1\n'),
      openHeader: await refusal('"Customer ID,At\nc,1\n'),
      noLines: await refusal('x'.repeat(3_000), { maxRecordBytes: 1_000 }),
      damaged: await refusal(`${header}${`"open\n${'long line\n'.repeat(8)}`.repeat(1_200)}`, { maxRecordBytes: 64 }),
      damagedGzip: await refusal(gzipSync(`${header}c,1\n`.repeat(5_000)).subarray(0, 60)),
    };
    expect(Object.fromEntries(Object.entries(answers).map(([name, { reason }]) => [name, reason]))).toEqual({
      empty: 'EMPTY_FILE',
      utf16: 'NOT_UTF8',
      utf16WithoutMark: 'NOT_UTF8',
      spreadsheet: 'NOT_TEXT',
      latinHeader: 'NOT_UTF8',
      binary: 'NOT_TEXT',
      twice: 'HEADER_DUPLICATE',
      missing: 'MISSING_COLUMN',
      openHeader: 'HEADER_BROKEN',
      noLines: 'HEADER_BROKEN',
      damaged: 'TOO_DAMAGED',
      damagedGzip: 'NOT_TEXT',
    });
    expect(new Set(Object.values(answers).map(({ code }) => code))).toEqual(new Set(['ANALYTICS_FILE_REFUSED']));
    expect(answers.missing.message).toContain('no column "Customer ID"; its header is "Customer", "At"');
    expect(await tables()).toEqual([]);
  });

  test('stops when told to, and when the file cannot be read', async () => {
    const abort = new AbortController();
    async function* endless() {
      yield Buffer.from('Customer ID,At\n');
      for (;;) yield Buffer.from('c,1\n'.repeat(100_000));
    }
    const staging = stageFile(analytics, endless(), {
      format: 'csv',
      columns: COLUMNS,
      signal: abort.signal,
      onProgress: ({ rows }) => {
        if (rows > 500_000) abort.abort(new Error('enough'));
      },
    });
    await expect(staging).rejects.toThrow('enough');
    const absent = stageFile(analytics, path.join(folder.path, 'none.csv'), { format: 'csv', columns: COLUMNS });
    await expect(absent).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await tables()).toEqual([]);
  });
});

describe('staging NDJSON', () => {
  const ndjson = (content: string | Buffer, options: Partial<StageOptions> = {}) =>
    stage(content, { format: 'ndjson', ...options });

  test('takes wanted keys as text and the rest as JSON', async () => {
    const staged = await ndjson(
      '{"Customer ID":"c\\t\\u00e91","At":"2026-01-01","Price":19.9,"tags":["a","b\\\\"],"n":{"k":null}}\r\n\n{"Price":null,"At":7,"Customer ID":{"id":1}}',
    );
    expect(await rowsOf(staged)).toEqual([
      {
        line: 1,
        row: 1,
        customer: 'c\té1',
        at: '2026-01-01',
        price: '19.9',
        extra: '{"tags":["a","b\\\\"],"n":{"k":null}}',
      },
      { line: 3, row: 2, customer: '{"id":1}', at: '7', price: '', extra: '{}' },
    ]);
    expect(staged).toMatchObject({ rows: 2, rejected: 0, header: ['Customer ID', 'At', 'Price'] });
    await staged.drop();
  });

  test('names every broken record and keeps the good ones', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"Customer ID":"ok","At":1}\n{"Customer ID":"cut","At"\n[1,2]\n{"At":"nobody"}\n{"Customer ID":"'),
      Buffer.of(0xff),
      Buffer.from(`","At":1}\n{"Customer ID":"${'x'.repeat(3_000)}","At":1}\nnull\n{"Customer ID":"ok","At":2}`),
    ]);
    const staged = await ndjson(bytes, { maxRecordBytes: 2_000 });
    expect(await rowsOf(staged, 'line, row, customer')).toEqual([
      { line: 1, row: 1, customer: 'ok' },
      { line: 8, row: 8, customer: 'ok' },
    ]);
    expect((await rejectsOf(staged)).map(({ line, row, column, rule }) => [line, row, column, rule])).toEqual([
      [2, 2, '', 'INVALID_JSON'],
      [3, 3, '', 'NOT_AN_OBJECT'],
      [4, 4, 'Customer ID', 'COLUMN_MISSING'],
      [5, 5, '', 'INVALID_ENCODING'],
      [6, 6, '', 'RECORD_TOO_LONG'],
      [7, 7, '', 'NOT_AN_OBJECT'],
    ]);
    expect(staged).toMatchObject({ rows: 2, rejected: 6 });
    expect(staged.findings).toContainEqual({ rule: 'COLUMN_MISSING', column: 'Customer ID', count: 1 });
    await staged.drop();
    await expect(ndjson('')).rejects.toMatchObject({ details: { reason: 'EMPTY_FILE' } });
    expect(await tables()).toEqual([]);
  });
});

describe('rules on staged rows', () => {
  test('count, name and leave out what breaks them, in one pass', async () => {
    const staged = await stage('Customer ID,At,Price\na,2026-01-01,1\n,2026-01-02,2\nc,soon,x\nd,2026-01-04,9999\n');
    const tryRules = () =>
      checkRows(
        analytics,
        staged,
        [
          {
            rule: 'CUSTOMER_MISSING',
            column: 'Customer ID',
            broken: `customer = ''`,
            value: 'customer',
            severity: 'error',
          },
          { rule: 'DATE_UNREADABLE', column: 'At', broken: 'toDateOrNull(at) IS NULL', value: 'at', severity: 'error' },
          {
            rule: 'PRICE_UNREADABLE',
            column: 'Price',
            broken: 'toDecimal64OrNull(price, 2) IS NULL',
            value: 'price',
            severity: 'error',
          },
          {
            rule: 'PRICE_HIGH',
            column: 'Price',
            broken: 'toDecimal64OrNull(price, 2) > {limit:Decimal(18, 2)}',
            value: 'price',
            severity: 'warning',
          },
          { rule: 'NEVER', column: 'Price', broken: 'NULL', value: 'price', severity: 'error' },
        ],
        { limit: '1000' },
      );
    // A resumed import tries them again: the rejects are the same.
    await tryRules();
    const check = await tryRules();
    expect(check).toMatchObject({ good: 2, rejected: 2 });
    expect(check.findings.map(({ rule, count, examples }) => [rule, count, examples])).toEqual([
      ['CUSTOMER_MISSING', 1, [{ line: 3, value: '' }]],
      ['DATE_UNREADABLE', 1, [{ line: 4, value: 'soon' }]],
      ['PRICE_UNREADABLE', 1, [{ line: 4, value: 'x' }]],
      ['PRICE_HIGH', 1, [{ line: 5, value: '9999' }]],
      ['NEVER', 0, []],
    ]);
    expect(await rejectsOf(staged)).toEqual([
      { line: 3, row: 2, column: 'Customer ID', rule: 'CUSTOMER_MISSING', value: '' },
      { line: 4, row: 3, column: 'At', rule: 'DATE_UNREADABLE', value: 'soon' },
      { line: 4, row: 3, column: 'Price', rule: 'PRICE_UNREADABLE', value: 'x' },
    ]);
    const good = await analytics.query(`SELECT customer FROM ${staged.table} WHERE ${check.goodRows} ORDER BY row`, {
      limit: '1000',
    });
    expect(good).toEqual([{ customer: 'a' }, { customer: 'd' }]);
    await staged.drop();
  });

  test('staging tables that nobody owns any more are swept away', async () => {
    const [kept, left] = [await stage('Customer ID,At\na,1\n'), await stage('Customer ID,At\na,1\n')];
    expect(await dropAbandonedStages(analytics, new Date(Date.now() - 60_000), [])).toEqual([]);
    const swept = await dropAbandonedStages(analytics, new Date(Date.now() + 60_000), [kept.table]);
    expect(swept.sort()).toEqual([left.table, left.rejects].sort());
    expect((await tables()).map(({ name }) => name).sort()).toEqual([kept.table, kept.rejects].sort());
    await kept.drop();
  });
});
