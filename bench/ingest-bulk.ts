import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { imports } from '../modules/customers/imports/index.ts';
import { uid } from '../modules/customers/imports/sql.ts';
import { customerSettings } from '../modules/customers/settings.ts';
import { openDataFolder } from '../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../src/app/embedded/postgres.ts';
import { migrateAnalytics } from '../src/core/analytics/migrate.ts';
import { openAnalytics } from '../src/core/analytics/open.ts';
import type { Analytics } from '../src/core/analytics/types.ts';
import { systemCall } from '../src/core/call.ts';
import { systemClock } from '../src/core/clock.ts';
import { createDatabase } from '../src/core/database/index.ts';
import { migrateAll } from '../src/core/database/migrate-all.ts';
import { createLogger } from '../src/core/logger.ts';
import { createMetrics } from '../src/core/metrics.ts';
import { BUSINESS, BUSINESS_CLOCK, createSettings } from '../src/core/settings/index.ts';
import type { BenchResult } from './main.ts';

const CUSTOMERS = 100_000;
const ROUNDS = 3;
const START_MS = Date.UTC(2026, 0, 1);
const ROWS_PER_CHUNK = 5_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

/** Events of a product: sessions of four events each, over all customers. */
function* csvRows(count: number): Generator<string> {
  yield 'id,name,at,customer_id,value,currency,properties\n';
  for (let start = 0; start < count; start += ROWS_PER_CHUNK) {
    const rows: string[] = [];
    for (let n = start; n < Math.min(start + ROWS_PER_CHUNK, count); n += 1) {
      const at = new Date(START_MS + (n % 5_000_000) * 1_000).toISOString();
      const customer = `c-${(Math.floor(n / 4) * 7_919) % CUSTOMERS}`;
      if (n % 4 === 0) rows.push(`e-${n},session.started,${at},${customer},,,"{""device"":""web""}"\n`);
      else if (n % 4 === 3) rows.push(`e-${n},session.ended,${at},${customer},${60 + (n % 3_000)},,\n`);
      else rows.push(`e-${n},feature.used,${at},${customer},,,"{""feature"":""feature-${n % 37}""}"\n`);
    }
    yield rows.join('');
  }
}

/** ClickHouse reads the file into the table by itself: it parses and hashes, but checks nothing and asks nobody for customers. */
async function readByItself(analytics: Analytics, file: string): Promise<void> {
  const structure =
    'id String, name String, at String, customer_id String, value Nullable(Decimal(20, 6)), currency String, properties String';
  await analytics.command(
    `INSERT INTO events (event_uid, source, source_id, customer_id, name, at, value, currency, properties, received_at, import_id)
     SELECT ${uid("'bench'", 'id')}, 'bench', id, ${uid("'customer'", 'customer_id')}, name, parseDateTime64BestEffort(at, 3, 'UTC'),
       value, currency, properties, now64(3), generateUUIDv4(1)
     FROM file({file:String}, 'CSVWithNames', '${structure}')`,
    { file },
  );
}

/** A CSV of events, validated, until it can be queried, against ClickHouse reading it by itself, in turn in one run. */
export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const total = quick ? 200_000 : 1_000_000;
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), 'holdfast-bench-bulk-')));
  const postgres = await startEmbeddedPostgres({ folder: folder.path });
  await migrateAll({ connectionString: postgres.url });
  const logger = createLogger('warn');
  const database = createDatabase({ url: postgres.url, logger });
  const analytics = await openAnalytics({ path: folder.file('clickhouse') }, { database: 'holdfast' });
  try {
    await migrateAnalytics(analytics, (apply) => apply());
    const settings = createSettings(database, systemClock);
    const clocks = { clock: systemClock, systemClock };
    const metrics = createMetrics({ processMetrics: false });
    const {
      service,
      jobs,
      settings: own,
    } = imports({ database, analytics, settings, logger, metrics, dataFolder: folder.path, ...clocks });
    settings.declare([BUSINESS, BUSINESS_CLOCK, ...customerSettings, ...own]);
    const file = folder.file('events.csv');
    await pipeline(Readable.from(csvRows(total)), createWriteStream(file));

    const count = async (): Promise<number> => {
      const [row] = await analytics.query<{ events: number }>('SELECT count() AS events FROM events FINAL');
      return row?.events ?? 0;
    };
    const timed = async (what: string, work: () => Promise<void>): Promise<number> => {
      await analytics.command('TRUNCATE TABLE events');
      const startedAt = performance.now();
      await work();
      const events = await count();
      const seconds = (performance.now() - startedAt) / 1_000;
      if (events !== total) throw new Error(`${what}: ${events} of ${total} events can be queried`);
      say(`${what}: ${Math.round(total / seconds).toLocaleString('en')} events a second`);
      return total / seconds;
    };
    const call = systemCall('bench');
    const [runImport] = jobs;
    const rates = { limit: [] as number[], holdfast: [] as number[] };
    // The first round makes the customers and warms both sides; it is not counted.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const limit = await timed('ClickHouse by itself', () => readByItself(analytics, file));
      const { uploadId } = await service.uploads.receive(call, createReadStream(file), {
        fileName: 'events.csv',
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      const holdfast = await timed('Holdfast', async () => {
        const input = { uploadId, recordType: 'EVENTS', source: `bench-${round}` } as const;
        const { id } = (await service.start(call, input)).job;
        await runImport?.run(
          { jobId: id },
          { signal: new AbortController().signal, logger, attempt: 1, lastAttempt: true },
        );
        const job = await service.get(id);
        if (job.state !== 'DONE') throw new Error(`the import is ${job.state}: ${job.error?.message}`);
      });
      if (round === 0) continue;
      rates.limit.push(limit);
      rates.holdfast.push(holdfast);
    }
    const limit = median(rates.limit);
    const holdfast = median(rates.holdfast);
    return {
      ratios: { bulk: Number((holdfast / limit).toFixed(3)) },
      bars: { bulk: 0.3 },
      figures: {
        bulkEvents: total,
        bulkEventsPerSecond: Math.round(holdfast),
        bulkLimitEventsPerSecond: Math.round(limit),
        bulkRssMiB: Math.round(process.memoryUsage().rss / 1_048_576),
      },
    };
  } finally {
    await analytics.close();
    await database.close();
    await postgres.stop();
    folder.release();
    rmSync(folder.path, { recursive: true, force: true });
  }
}
