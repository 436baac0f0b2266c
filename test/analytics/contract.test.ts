import { ClickHouseError } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Analytics,
  AnalyticsUnavailable,
  migrateAnalytics,
  openAnalytics,
} from '../../src/core/analytics/index.ts';
import { startAnalyticsCommand, temporaryFolder } from './support.ts';

/** The two ways this machine can run ClickHouse; a server by URL is the second, seen from here. */
interface Deployment {
  open(): Promise<Analytics>;
  close(): Promise<void>;
}

function embedded(): Deployment {
  const folder = temporaryFolder();
  return {
    open: () => openAnalytics({ path: folder.path }, { database: 'contract' }),
    close: async () => folder.remove(),
  };
}

function served(): Deployment {
  const folder = temporaryFolder();
  const server = startAnalyticsCommand(folder.path);
  return {
    open: async () => openAnalytics({ url: await server.url() }, { database: 'contract' }),
    async close() {
      await server.kill('SIGTERM');
      folder.remove();
    },
  };
}

const UUID_A = '0190a1b2-0000-7000-8000-00000000000a';
const UUID_B = '0190a1b2-0000-7000-8000-00000000000b';

describe.each([
  ['embedded', embedded],
  ['through holdfast analytics', served],
])('the history engine %s', (_, deploy) => {
  let deployment: Deployment;
  let analytics: Analytics;

  beforeAll(async () => {
    deployment = deploy();
    analytics = await deployment.open();
    await migrateAnalytics(analytics, (run) => run());
  });
  afterAll(async () => {
    await analytics?.close();
    await deployment.close();
  });

  const event = (over: object) => ({
    event_uid: UUID_A,
    source: 'shop',
    source_id: '1',
    customer_id: UUID_B,
    name: 'order.placed',
    at: '2026-03-01T10:00:00.123Z',
    value: '19.990001',
    currency: 'GBP',
    properties: '{"basket":[1,2]}',
    received_at: '2026-03-01T10:00:01.000Z',
    import_id: UUID_A,
    ...over,
  });

  test('gives back every type as it was written', async () => {
    await analytics.command(`CREATE TABLE types (
      text String, low LowCardinality(String), exact Decimal(38, 9), big UInt64, small Int8, real Float64, yes Bool,
      at DateTime64(3, 'UTC'), day Date, id UUID, list Array(String), pairs Map(String, UInt8), maybe Nullable(Int32)
    ) ENGINE = MergeTree ORDER BY id`);
    const row = {
      text: 'line\nbreak\t"quote" \'single\' \\ back é 😀 \u0000 \\N',
      low: '',
      exact: '12345678901234567890.123456789',
      big: 9007199254740991,
      small: -128,
      real: 0.1,
      yes: true,
      at: '1969-12-31T23:59:59.999Z',
      day: '2024-02-29',
      id: UUID_A,
      list: ["it's", 'a\\b', ''],
      pairs: { a: 1 },
      maybe: null,
    };
    await analytics.insert('types', [row]);
    expect(await analytics.query('SELECT * FROM types')).toEqual([row]);
  });

  test('binds parameters of every type without touching the statement', async () => {
    const text = "'; DROP TABLE events; -- \\ \t \n {x:UInt8} é😀";
    const at = new Date('1960-05-06T07:08:09.010Z');
    const [row] = await analytics.query(
      `SELECT {text:String} AS text, {none:Nullable(String)} AS none, {whole:Int64} AS whole, {big:UInt64} AS big,
         {exact:Decimal(38, 9)} AS exact, {real:Float64} AS real, {flag:Bool} AS flag, {id:UUID} AS id,
         {at:DateTime64(3, 'UTC')} AS at, {times:Array(DateTime64(3, 'UTC'))} AS times, {list:Array(String)} AS list,
         {ids:Array(UUID)} AS ids, {map:Map(String, String)} AS map`,
      {
        text,
        none: null,
        whole: -5,
        big: '9007199254740991',
        exact: '-12345678901234567890.123456789',
        real: 1.5,
        flag: false,
        id: UUID_A,
        at,
        times: [at, new Date('2026-01-02T03:04:05.678Z')],
        list: [text, ''],
        ids: [UUID_A, UUID_B],
        map: { "k'": text },
      },
    );
    expect(row).toEqual({
      text,
      none: null,
      whole: -5,
      big: 9007199254740991,
      exact: '-12345678901234567890.123456789',
      real: 1.5,
      flag: false,
      id: UUID_A,
      at: '1960-05-06T07:08:09.010Z',
      times: ['1960-05-06T07:08:09.010Z', '2026-01-02T03:04:05.678Z'],
      list: [text, ''],
      ids: [UUID_A, UUID_B],
      map: { "k'": text },
    });
  });

  test('does not lend a statement what another one set', async () => {
    await analytics.query('SELECT {left:UInt8} AS n', { left: 1 }, { settings: { max_threads: 1 } });
    const settings = await Promise.all(
      Array.from({ length: 6 }, () => analytics.query<{ n: string }>(`SELECT getSetting('max_threads') AS n`)),
    );
    expect(settings.flat().map(({ n }) => Number(n))).not.toContain(1);
    await expect(analytics.query('SELECT {left:UInt8} AS n')).rejects.toMatchObject({
      code: '456',
      type: 'UNKNOWN_QUERY_PARAMETER',
    });
  });

  test('answers many statements at once, each with its own parameters', async () => {
    const numbers = Array.from({ length: 60 }, (_, at) => at);
    const answers = await Promise.all(
      numbers.map((n) => analytics.query<{ n: number }>('SELECT {n:UInt32} AS n FROM numbers(1)', { n })),
    );
    expect(answers.map(([row]) => row?.n)).toEqual(numbers);
  });

  test('streams a result far larger than a buffer', async () => {
    let rows = 0;
    let sum = 0;
    for await (const batch of analytics.queryStream<{ n: number; text: string }>(
      `SELECT number AS n, repeat('x', 100) AS text FROM numbers(400000)`,
    )) {
      rows += batch.length;
      for (const { n } of batch) sum += n;
    }
    expect({ rows, sum }).toEqual({ rows: 400_000, sum: (400_000 * 399_999) / 2 });
  });

  test('lets a reader stop in the middle of an endless result', async () => {
    for (let time = 0; time < 10; time += 1) {
      for await (const batch of analytics.queryStream<{ number: number }>('SELECT number FROM system.numbers')) {
        expect(batch[0]).toEqual({ number: 0 });
        break;
      }
    }
    expect(await analytics.query('SELECT 1 AS still')).toEqual([{ still: 1 }]);
  });

  test('runs statements while many results are being read', async () => {
    const read = async (): Promise<number> => {
      let rows = 0;
      for await (const batch of analytics.queryStream('SELECT number FROM numbers(50000)')) {
        if (rows === 0) await analytics.query('SELECT 1 AS n');
        rows += batch.length;
      }
      return rows;
    };
    expect(await Promise.all(Array.from({ length: 20 }, read))).toEqual(Array.from({ length: 20 }, () => 50_000));
  });

  test('names what is wrong with a statement', async () => {
    const error = await analytics.query('SELECT nope FROM events').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ClickHouseError);
    expect(error).toMatchObject({ code: '47', type: 'UNKNOWN_IDENTIFIER', message: expect.stringContaining('nope') });
    await expect(analytics.query('SELECT * FROM nowhere')).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' });
    await expect(analytics.command('CREATE TABLE')).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' });
    await expect(analytics.query('SELECT 1 AS n', {}, { settings: { no_such_setting: 1 } })).rejects.toMatchObject({
      code: '115',
      type: 'UNKNOWN_SETTING',
    });
  });

  test('fails a stream that breaks late', async () => {
    const read = async () => {
      let rows = 0;
      const sql = `SELECT number, throwIf(number = 900000, 'broke late') AS thrown FROM numbers(1000000)`;
      for await (const batch of analytics.queryStream(sql, {}, { settings: { max_threads: 1 } })) rows += batch.length;
      return rows;
    };
    await expect(read()).rejects.toThrow(/broke late/);
    expect(await analytics.query('SELECT 1 AS still')).toEqual([{ still: 1 }]);
  });

  test('gives up at once when asked to, and goes on serving', async () => {
    const abort = new AbortController();
    const began = performance.now();
    const slow = analytics.query(
      'SELECT sum(cityHash64(number)) AS n FROM numbers(2000000000)',
      {},
      { signal: abort.signal },
    );
    abort.abort(new Error('enough'));
    await expect(slow).rejects.toThrow('enough');
    expect(performance.now() - began).toBeLessThan(1_000);
    await expect(analytics.query('SELECT 1 AS n', {}, { signal: abort.signal })).rejects.toThrow('enough');
    expect(await analytics.query('SELECT 1 AS still')).toEqual([{ still: 1 }]);
  });

  test('counts an event once, also with another time, name and value', async () => {
    await analytics.insert('events', [event({})]);
    await analytics.insert('events', [
      event({
        at: '2024-12-31T23:59:59.999Z',
        name: 'order.returned',
        value: null,
        received_at: '2026-03-02T00:00:00.000Z',
      }),
    ]);
    const sql = 'SELECT name, at, value FROM events FINAL WHERE event_uid = {uid:UUID}';
    expect(await analytics.query(sql, { uid: UUID_A })).toEqual([
      { name: 'order.returned', at: '2024-12-31T23:59:59.999Z', value: null },
    ]);
    await analytics.command('OPTIMIZE TABLE events FINAL');
    expect(
      await analytics.query('SELECT count() AS n FROM events WHERE event_uid = {uid:UUID}', { uid: UUID_A }),
    ).toEqual([{ n: 1 }]);
  });

  test('writes a block with a token once', async () => {
    const rows = [event({ event_uid: UUID_B, source_id: '2' })];
    for (let time = 0; time < 3; time += 1) await analytics.insert('events', rows, { dedupToken: 'the-same' });
    await analytics.insert('events', rows, { dedupToken: 'another' });
    expect(
      await analytics.query('SELECT count() AS n FROM events WHERE event_uid = {uid:UUID}', { uid: UUID_B }),
    ).toEqual([{ n: 2 }]);
  });

  test('adds money up exactly', async () => {
    const line = { source: 'shop', order_id: '1', customer_id: UUID_B, product: 'p', description: '', currency: 'GBP' };
    await analytics.insert(
      'order_lines',
      Array.from({ length: 1_000 }, (_, at) => ({
        ...line,
        line_uid: `0190a1b2-0000-7000-8000-${String(at).padStart(12, '0')}`,
        country: 'GB',
        quantity: '3',
        unit_price: '0.1001',
        at: '2026-01-01T00:00:00.000Z',
        taken_out: at % 10 === 0 ? 'return' : 'kept',
        received_at: '2026-01-01T00:00:00.000Z',
        import_id: UUID_A,
      })),
    );
    const sql = `SELECT sumIf(amount, taken_out = 'kept') AS revenue, sum(capped_amount) AS all FROM order_lines FINAL`;
    expect(await analytics.query(sql)).toEqual([{ revenue: '270.27', all: '300.3' }]);
  });

  test('loads bytes in any chunks, with columns, and writes nothing of an unreadable block', async () => {
    await analytics.command(
      'CREATE TABLE loaded (id UInt64, text String, made String DEFAULT upper(text)) ENGINE = MergeTree ORDER BY id',
    );
    const csv = Buffer.from('1,"a ""quoted"" word"\n2,"line\nbreak"\n3,é\n');
    async function* bytes() {
      for (const byte of csv) yield Uint8Array.of(byte);
    }
    await analytics.load('loaded', 'CSV', bytes(), { columns: ['id', 'text'] });
    await analytics.load('loaded', 'CSVWithNames', Buffer.from('text,id\nfour,4\n'));
    await analytics.load('loaded', 'JSONEachRow', Buffer.from('{"id":5,"text":"five"}\n'));
    await expect(
      analytics.load('loaded', 'TSV', Buffer.from('6\tsix\nseven\t7\n'), { columns: ['id', 'text'] }),
    ).rejects.toBeInstanceOf(ClickHouseError);
    await analytics.insert('loaded', []);
    expect(await analytics.query('SELECT * FROM loaded ORDER BY id')).toEqual([
      { id: 1, text: 'a "quoted" word', made: 'A "QUOTED" WORD' },
      { id: 2, text: 'line\nbreak', made: 'LINE\nBREAK' },
      { id: 3, text: 'é', made: 'é' },
      { id: 4, text: 'four', made: 'FOUR' },
      { id: 5, text: 'five', made: 'FIVE' },
    ]);
  });

  test('loads more than one block in every kind of format', async () => {
    await analytics.command('CREATE TABLE many (n UInt64, text String) ENGINE = MergeTree ORDER BY n');
    const rows = 300_000;
    function* lines(render: (n: number) => string, head = '') {
      if (head !== '') yield Buffer.from(head);
      for (let start = 0; start < rows; start += 10_000) {
        yield Buffer.from(Array.from({ length: 10_000 }, (_, at) => render(start + at)).join(''));
      }
    }
    const padding = 'x'.repeat(40);
    const asStream = async function* (pieces: Iterable<Buffer>) {
      yield* pieces;
    };
    await analytics.load('many', 'TSV', asStream(lines((n) => `${n}\t${padding}\n`)));
    await analytics.load('many', 'CSVWithNames', asStream(lines((n) => `"${padding}",${n}\n`, 'text,n\n')));
    expect(await analytics.query('SELECT count() AS rows, uniqExact(n) AS distinct, max(n) AS last FROM many')).toEqual(
      [{ rows: 2 * rows, distinct: rows, last: rows - 1 }],
    );
  });

  test('exports results as files', async () => {
    const parquet = Buffer.concat(
      await (await analytics.export('SELECT number AS n FROM numbers(1000)', 'Parquet')).toArray(),
    );
    expect([parquet.toString('latin1', 0, 4), parquet.toString('latin1', parquet.length - 4)]).toEqual([
      'PAR1',
      'PAR1',
    ]);
    const csv = Buffer.concat(
      await (await analytics.export('SELECT {n:UInt8} AS n, NULL AS none', 'CSVWithNames', { n: 7 })).toArray(),
    );
    expect(csv.toString()).toBe('"n","none"\n7,\\N\n');
  });

  test('migrates once, and refuses a changed migration', async () => {
    expect(await migrateAnalytics(analytics, (run) => run())).toEqual([]);
    const first = {
      name: '0001_a.sql',
      sql: 'CREATE TABLE IF NOT EXISTS mine (n UInt8) ENGINE = {{engine:MergeTree}} ORDER BY n;\n',
    };
    expect(await migrateAnalytics(analytics, (run) => run(), [first])).toEqual(['0001_a.sql']);
    const changed = [{ ...first, sql: `${first.sql}-- more\n` }];
    await expect(migrateAnalytics(analytics, (run) => run(), changed)).rejects.toMatchObject({
      code: 'ANALYTICS_MIGRATION_CHANGED',
    });
  });
});

test('says plainly when no server answers', async () => {
  const open = openAnalytics({ url: 'http://127.0.0.1:9' }, { database: 'contract' });
  await expect(open).rejects.toBeInstanceOf(AnalyticsUnavailable);
});
