import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createApplication } from '../src/app/application.ts';
import { ONLINE_RETAIL, SHOP } from '../src/app/demo/online-retail.ts';
import { setUpBusiness } from '../src/app/demo/setup.ts';
import { openEngines } from '../src/app/engines.ts';
import { readConfig } from '../src/config.ts';
import { systemCall } from '../src/core/call.ts';
import { createLogger } from '../src/core/logger.ts';
import type { BenchResult } from './main.ts';

/** What the whole may take: 15 s, and 900 MB at the peak, ClickHouse included. PostgreSQL is a process of its own. */
const LIMIT_SECONDS = 15;
const LIMIT_MIB = 858;

/**
 * The real file of the shop, 541,909 lines: checked, cleaned and stored, features of every month, segments, clusters and value. One run, because
 * the peak of memory is that of the process's life.
 */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-retail-'));
  const config = readConfig({ PORT: '0', HOLDFAST_DATA: folder, HOLDFAST_LOG_LEVEL: 'warn' });
  const logger = createLogger(config.logLevel);
  const engines = await openEngines({ config, logger, notice: () => {} });
  const app = await createApplication({ config, engines, logger });
  try {
    const call = systemCall('bench');
    await setUpBusiness(app, call, SHOP);
    const { customers, value } = app.composition.services;
    const steps: Record<string, number> = {};
    const timed = async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
      const startedAt = performance.now();
      const result = await work();
      steps[name] = Number(((performance.now() - startedAt) / 1_000).toFixed(2));
      return result;
    };
    const job = await timed('file to records', async () => {
      const upload = { fileName: 'online_retail.csv.gz', maxBytes: Number.MAX_SAFE_INTEGER };
      const { uploadId } = await customers.imports.uploads.receive(call, createReadStream(ONLINE_RETAIL), upload);
      const input = {
        uploadId,
        recordType: 'ORDERS',
        acceptQuality: true,
        source: 'bench',
        timeZone: 'UTC',
        currency: 'GBP',
      } as const;
      const { id: jobId } = (await customers.imports.start(call, input)).job;
      const runImport = app.composition.jobs.find(({ name }) => name === 'customers.runImport');
      await runImport?.run({ jobId }, { signal: new AbortController().signal, logger, attempt: 1, lastAttempt: true });
      return customers.imports.get(jobId);
    });
    if (job.state !== 'DONE') throw new Error(`the import is ${job.state}: ${job.error?.message}`);
    const { clusters, snapshotsComputed } = await timed('features, segments, clusters and value', () =>
      value.refresh(call),
    );
    const segments = await value.rfmSegments(null);
    const seconds = Object.values(steps).reduce((sum, one) => sum + one, 0);
    const peakMiB = process.resourceUsage().maxRSS / 1_024;
    return {
      ratios: { time: Number((LIMIT_SECONDS / seconds).toFixed(2)), memory: Number((LIMIT_MIB / peakMiB).toFixed(2)) },
      bars: { time: 1, memory: 1 },
      figures: {
        seconds: Number(seconds.toFixed(2)),
        steps,
        peakMiB: Math.round(peakMiB),
        snapshots: snapshotsComputed,
        customersInSegments: segments.reduce((sum, segment) => sum + segment.customers, 0),
        clusters,
      },
    };
  } finally {
    await app.stop();
    await engines.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
