import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { csv, findingsOf, importFile, rejectsOf, START, type StartAnswer, start, upload } from './support.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: new Date('2026-06-01T12:00:00Z') });
});

afterAll(() => app.close());

const HEADER = 'orderId,product,quantity,unitPrice,placedAt,customerId';
const GOOD = 'o1,p1,2,3.50,2026-05-01 10:00:00,c1';
const ORDERS = { recordType: 'ORDERS', acceptQuality: true };

const importLines = (...rows: string[]) => importFile(app, csv(HEADER, ...rows), ORDERS);

describe('files that are refused as a whole', () => {
  test.each([
    ['an empty file with blank lines', '\n\n', 'EMPTY', 'ANALYTICS_FILE_REFUSED'],
    ['a file in UTF-16', Buffer.from('\ufefforderId,product\n', 'utf16le'), 'UTF-16', 'ANALYTICS_FILE_REFUSED'],
    ['a ZIP archive', Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0]), 'ZIP', 'ANALYTICS_FILE_REFUSED'],
    ['a header in Latin-1', Buffer.from(`${HEADER},größe\n${GOOD},x\n`, 'latin1'), 'UTF-8', 'ANALYTICS_FILE_REFUSED'],
    [
      'a header that names a column twice',
      csv(`${HEADER},product`, `${GOOD},p`),
      '"product" twice',
      'ANALYTICS_FILE_REFUSED',
    ],
    [
      'a header without a required column',
      csv('orderId,product', 'o1,p1'),
      '"quantity"',
      'CUSTOMERS_IMPORT_MAPPING_INVALID',
    ],
    ['gzip that is damaged', gzipSync(csv(HEADER, GOOD)).fill(0, 12, 20), 'gzip', 'ANALYTICS_FILE_REFUSED'],
  ])('%s', async (_, file, says, code) => {
    const answer = await start(app, file, ORDERS);
    expect(answer).toMatchObject({ code });
    expect(answer.message?.toUpperCase()).toContain(says.toUpperCase());
  });

  test('nothing at all', async () => {
    const answer = await upload(app, '');
    expect(answer.status).toBe(400);
    expect(answer.errors?.[0]?.extensions.code).toBe('REQUEST_EMPTY');
  });

  test('gzip that ends too soon, found while it is read', async () => {
    const rows = Array.from({ length: 60_000 }, (_, at) => `o${at},p${at * 7919},1,1.5,2026-05-01,c${at * 31}`);
    const whole = gzipSync(csv(HEADER, ...rows), { level: 1 });
    const job = await importFile(app, whole.subarray(0, whole.length - 1_000), ORDERS);
    expect(job).toMatchObject({ state: 'FAILED', result: null, error: { code: 'ANALYTICS_FILE_REFUSED' } });
  });

  test('an upload nobody knows', async () => {
    const { startImport } = await app.query<StartAnswer>(START, {
      input: { uploadId: '01a203a5-361b-7000-b1b0-b6d6abb6fd70', ...ORDERS },
    });
    expect(startImport).toMatchObject({
      __typename: 'UploadNotFound',
      code: 'CUSTOMERS_UPLOAD_NOT_FOUND',
      path: ['uploadId'],
    });
  });

  test('an upload id that is a path', async () => {
    const { startImport } = await app.query<StartAnswer>(START, { input: { uploadId: '../../etc/passwd', ...ORDERS } });
    expect(startImport).toMatchObject({ code: 'CUSTOMERS_UPLOAD_NOT_FOUND' });
  });
});

describe('inputs that do not fit', () => {
  test.each([
    [
      'a field that does not exist',
      { mapping: [{ field: 'colour', column: 'product' }] },
      '"colour" is no field of ORDERS',
    ],
    ['a column that does not exist', { mapping: [{ field: 'country', column: 'Land' }] }, 'no column "Land"'],
    [
      'a field mapped twice',
      { mapping: ['product', 'orderId'].map((column) => ({ field: 'product', column })) },
      'mapped twice',
    ],
    ['a time zone that does not exist', { timeZone: 'Europe/Atlantis' }, 'Atlantis'],
    ['a source that is no name', { source: 'a b/c' }, 'no name of a source'],
  ])('%s', async (_, more, says) => {
    const answer = await start(app, csv(HEADER, GOOD), { ...ORDERS, ...more });
    expect(answer.job).toBeUndefined();
    expect(answer.message).toContain(says);
  });

  test('the same idempotency key with another input', async () => {
    const { uploadId } = await upload(app, csv(HEADER, GOOD));
    const input = { uploadId, ...ORDERS, dryRun: true, idempotencyKey: 'once' };
    const first = await app.query<StartAnswer>(START, { input });
    const replay = await app.query<StartAnswer>(START, { input });
    const other = await app.query<StartAnswer>(START, { input: { ...input, live: true } });
    expect(replay.startImport.job?.id).toBe(first.startImport.job?.id);
    expect(other.startImport).toMatchObject({ __typename: 'IdempotencyConflict' });
  });

  test('a key without the scope may neither upload nor start', async () => {
    const key = await app.createKey(['customers:read']);
    const sent = await upload(app, csv(HEADER, GOOD), key);
    expect(sent.status).toBe(403);
    const { uploadId } = await upload(app, csv(HEADER, GOOD));
    const answer = await app.ask(START, { input: { uploadId, ...ORDERS } }, { authorization: `Bearer ${key}` });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'ACCESS_SCOPE_MISSING' });
  });
});

describe('rows that are refused, each by name', () => {
  test('shapes: too few and too many columns, stray quotes, NUL bytes, wrong encoding', async () => {
    const job = await importFile(
      app,
      Buffer.concat([
        Buffer.from(csv(HEADER, GOOD, 'o2,p1', `${GOOD},more`, 'o3,"p"x,1,1,2026-05-01,c', 'o4,p\0,1,1,2026-05-01,c')),
        Buffer.from('o5,gr\xfcn,1,1,2026-05-01,c\n', 'latin1'),
        Buffer.from('o6,"never closed,1,1,2026-05-01,c\n'),
      ]),
      ORDERS,
    );
    expect(job).toMatchObject({ state: 'DONE', rowsTotal: 7, result: { rowsStored: 1, rowsRefused: 6 } });
    expect(job.rejects.edges.map(({ node }) => `${node.line} ${node.rule}`)).toEqual([
      '3 TOO_FEW_COLUMNS',
      '4 TOO_MANY_COLUMNS',
      '5 TEXT_AFTER_QUOTE',
      '6 NUL_BYTE',
      '7 INVALID_ENCODING',
      '8 UNCLOSED_QUOTE',
    ]);
  });

  test('values: missing, unreadable, unknown', async () => {
    const job = await importLines(
      GOOD,
      ',p1,1,1,2026-05-01,c1',
      'o2,p1,one,1,2026-05-01,c1',
      'o3,p1,1,1e3,2026-05-01,c1',
      'o4,p1,1,1.23456,2026-05-01,c1',
      'o5,p1,1,1,30/02/2026,c1',
      'o6,p1,1,1,2026-02-30,c1',
      `o7,${'p'.repeat(201)},1,1,2026-05-01,c1`,
    );
    expect(rejectsOf(job)).toEqual([
      '3 orderId ORDER_ID_MISSING: ',
      '4 quantity QUANTITY_UNREADABLE: one',
      '5 unitPrice UNIT_PRICE_UNREADABLE: 1e3',
      '6 unitPrice UNIT_PRICE_UNREADABLE: 1.23456',
      '7 placedAt PLACED_AT_UNREADABLE: 30/02/2026',
      '8 placedAt PLACED_AT_UNREADABLE: 2026-02-30',
      `9 product PRODUCT_TOO_LONG: ${'p'.repeat(200)}`,
    ]);
    expect(job.rejects.edges[0]?.node.message).toBe('No order id.');
  });

  test('times: in the future, and before the business began', async () => {
    const profile = { companyName: 'C', productName: 'p', reportingCurrency: 'USD', timeZone: 'UTC', grossMargin: 1 };
    const urls = { supportAddress: null, gettingStartedUrl: null, schedulingUrl: null };
    const { settings } = app.app.infra;
    const call = {
      actor: { kind: 'system', id: 'test', name: 'test' },
      correlationId: 'test',
      causationId: null,
    } as const;
    await settings.change(call, 'business.profile', { ...profile, ...urls, startedOn: '2026-01-01' });
    const job = await importLines(
      'f1,p1,1,1,2026-06-02,c1',
      'f2,p1,1,1,2025-12-31 23:59:59,c1',
      'f3,p1,1,1,2026-01-01,c1',
    );
    await settings.change(call, 'business.profile', { ...profile, ...urls, startedOn: null });
    expect(rejectsOf(job)).toEqual([
      '2 placedAt IN_FUTURE: 2026-06-02',
      '3 placedAt BEFORE_BUSINESS: 2025-12-31 23:59:59',
    ]);
  });

  test('an order of two customers, and of two currencies', async () => {
    const job = await importFile(
      app,
      csv(
        `${HEADER},currency`,
        'm1,p1,1,1,2026-05-01,c1,EUR',
        'm1,p2,1,1,2026-05-01,c2,EUR',
        'm1,p3,1,1,2026-05-01,c1,USD',
        'm2,p,1,1,2026-05-01,c1,XXY',
      ),
      ORDERS,
    );
    expect(rejectsOf(job)).toEqual([
      '3 - ORDER_OF_OTHER_CUSTOMER: c2',
      '4 - ORDER_OF_OTHER_CURRENCY: USD',
      '5 currency CURRENCY_UNKNOWN: XXY',
    ]);
    expect(job.result).toMatchObject({ ordersCreated: 1, rowsStored: 1 });
  });

  test('a line of 100 MB, in bounded memory', { timeout: 120_000 }, async () => {
    const before = process.memoryUsage().rss;
    const long = Buffer.alloc(100 * 1024 * 1024, 'x');
    const job = await importFile(
      app,
      gzipSync(Buffer.concat([Buffer.from(`${HEADER}\no9,`), long, Buffer.from(`,1,1,2026-05-01,c1\nl${GOOD}\n`)]), {
        level: 1,
      }),
      ORDERS,
    );
    expect(job).toMatchObject({ state: 'DONE', result: { rowsStored: 1, rowsRefused: 1 } });
    expect(job.rejects.edges[0]?.node).toMatchObject({ line: 2, rule: 'RECORD_TOO_LONG' });
    expect(process.memoryUsage().rss - before).toBeLessThan(700 * 1024 * 1024);
  });

  test('lines of NDJSON that are no JSON, no object, or lack a key', async () => {
    const good = { externalId: 'n1', name: 'N' };
    const job = await importFile(app, [JSON.stringify(good), '{"externalId":', '[1]', '{"name":"x"}', ''].join('\n'), {
      recordType: 'CUSTOMERS',
      acceptQuality: true,
    });
    expect(job.rejects.edges.map(({ node }) => `${node.line} ${node.rule}`)).toEqual([
      '2 INVALID_JSON',
      '3 NOT_AN_OBJECT',
      '4 COLUMN_MISSING',
    ]);
    expect(job.result).toMatchObject({ recordsCreated: 1, rowsRefused: 3 });
  });
});

describe('files that look odd and are fine', () => {
  test.each([
    ['a byte order mark', `\ufeff${csv(HEADER, 'b1,p1,1,1,2026-05-01,c1')}`],
    ['lines that end in CRLF', csv(HEADER, 'b2,p1,1,1,2026-05-01,c1').replaceAll('\n', '\r\n')],
    ['no newline at the end', csv(HEADER, 'b3,p1,1,1,2026-05-01,c1').trimEnd()],
    ['semicolons', csv(HEADER, 'b4,p1,1,1,2026-05-01,c1').replaceAll(',', ';')],
    ['quoted line breaks', csv(HEADER, 'b5,"p\n1",1,1,2026-05-01,c1')],
    ['gzip', gzipSync(csv(HEADER, 'b6,p1,1,1,2026-05-01,c1'))],
  ])('%s', async (_, file) => {
    const job = await importFile(app, file, ORDERS);
    expect(job).toMatchObject({ state: 'DONE', result: { rowsStored: 1, rowsRefused: 0, ordersCreated: 1 } });
  });

  test('a header without rows', async () => {
    const job = await importFile(app, csv(HEADER), ORDERS);
    expect(job).toMatchObject({ state: 'DONE', rowsTotal: 0, quality: { score: 1 }, result: { rowsStored: 0 } });
  });

  test('Latin-1 when it is declared', async () => {
    const file = Buffer.from(csv(HEADER, 'd1,grün,1,1,2026-05-01,c1'), 'latin1');
    const job = await importFile(app, file, { ...ORDERS, encoding: 'WINDOWS_1252' });
    expect(job.result).toMatchObject({ rowsStored: 1, rowsRefused: 0 });
    const lines = await app.app.infra.analytics.query(`SELECT product FROM order_lines FINAL WHERE order_id = 'd1'`);
    expect(lines).toEqual([{ product: 'grün' }]);
  });

  test('days first, in the zone of the shop', async () => {
    const job = await importFile(app, csv(HEADER, 't1,p1,1,1,1/5/2026 10:00,c1'), {
      ...ORDERS,
      dateFormat: 'DAY_MONTH_YEAR',
      timeZone: 'Europe/Berlin',
    });
    expect(job.result?.rowsStored).toBe(1);
    const [order] = await app.app.infra.database.query<{ at: Date }>(
      `select placed_at as at from customer_order where external_id = 't1'`,
    );
    expect(order?.at.toISOString()).toBe('2026-05-01T08:00:00.000Z');
  });
});

describe('quality below what the business asks for', () => {
  test('stops after the report, stores nothing, and goes on when it is accepted', async () => {
    const rows = ['q1,p1,1,1,2026-05-01,c7', 'q2,p1,1,1,2026-05-01,', 'q3,p1,1,1,2026-05-01,'];
    const waiting = await importFile(app, csv(HEADER, ...rows), { recordType: 'ORDERS' });
    expect(waiting).toMatchObject({ state: 'WAITING', quality: { score: 0.3333 }, result: null });
    expect(findingsOf(waiting)).toEqual(['IDENTITY CUSTOMER_MISSING (customerId): 2']);
    const stored = () => app.app.infra.database.query(`select 1 from customer_order where external_id = 'q1'`);
    expect(await stored()).toEqual([]);
    const { resumeImport } = await app.query<{ resumeImport: { job?: { state: string } } }>(
      `mutation ($id: ID!) { resumeImport(input: { id: $id }) { ... on ResumeImportSuccess { job { state } } } }`,
      { id: waiting.id },
    );
    expect(resumeImport.job?.state).toBe('QUEUED');
    await app.settle();
    expect(await stored()).toHaveLength(1);
  });

  test('can be cancelled instead, and then not be resumed', async () => {
    const waiting = await importFile(app, csv(HEADER, 'r1,p1,1,1,2026-05-01,'), { recordType: 'ORDERS' });
    const cancel = `mutation ($id: ID!) { cancelImport(input: { id: $id }) { __typename ... on CancelImportSuccess { job { state } } } }`;
    expect(await app.query(cancel, { id: waiting.id })).toMatchObject({
      cancelImport: { job: { state: 'CANCELLED' } },
    });
    expect(await app.query(cancel, { id: waiting.id })).toMatchObject({
      cancelImport: { __typename: 'ImportStateConflict' },
    });
  });

  test('a dry run reports and stores nothing', async () => {
    const job = await importFile(app, csv(HEADER, 'y1,p1,1,1,2026-05-01,cy', 'y2,p1,1,1,2026-05-01,'), {
      recordType: 'ORDERS',
      dryRun: true,
    });
    expect(job).toMatchObject({
      state: 'DONE',
      result: null,
      quality: { rowsWithErrors: 1 },
      cleaning: { customers: 1, orders: 1 },
    });
    expect(await app.app.infra.database.query(`select 1 from customer where external_id = 'cy'`)).toEqual([]);
  });
});
