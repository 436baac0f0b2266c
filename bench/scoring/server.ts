import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createApplication } from '../../src/app/application.ts';
import { openEngines } from '../../src/app/engines.ts';
import { readConfig } from '../../src/config.ts';
import { systemCall } from '../../src/core/call.ts';
import { createLogger } from '../../src/core/logger.ts';
import { BUSINESS, BUSINESS_CLOCK } from '../../src/core/settings/index.ts';
import { eventsCsv, NOW_MS } from './events.ts';

/** One step of the work, and how long it took. */
export type Step = readonly [name: string, seconds: number];

/**
 * Holdfast as one process serves it, with a year of events and a live churn model: `fork` with FOLDER, KEY and CUSTOMERS. It sends `{url}` when
 * all is there; on any message it scores everybody, and sends the steps.
 */
const [folder, key, customers] = process.argv.slice(2) as [string, string, string];
const config = readConfig({
  PORT: '0',
  HOLDFAST_DATA: folder,
  HOLDFAST_LOG_LEVEL: 'warn',
  HOLDFAST_ADMIN_KEY: key,
  HOLDFAST_COST_PER_MINUTE: '1000000000',
});
const logger = createLogger(config.logLevel);
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const engines = await openEngines({ config, logger, notice: () => {} });
const app = await createApplication({ config, engines, logger });
const { settings, systemClock } = app.infra;
const call = systemCall('bench');
await app.composition.keys.ensureAdmin(call, key);
await settings.change(call, BUSINESS.key, { ...BUSINESS.default, reportingCurrency: 'EUR', startedOn: '2024-01-01' });
await settings.change(call, BUSINESS_CLOCK.key, {
  mode: 'demo',
  startsAt: new Date(NOW_MS).toISOString(),
  setAt: systemClock.now().toISOString(),
});

const { churn, churnPrediction, customers: people, risk, value } = app.composition.services;
const steps: Step[] = [];
const timed = async (name: string, work: () => Promise<unknown>): Promise<void> => {
  const startedAt = performance.now();
  await work();
  steps.push([name, (performance.now() - startedAt) / 1_000]);
  say(`${name}: ${steps.at(-1)?.[1].toFixed(1)} s`);
};

const file = path.join(folder, 'events.csv');
await pipeline(Readable.from(eventsCsv(Number(customers))), createWriteStream(file));
await timed('import', async () => {
  const { imports } = people;
  const upload = { fileName: 'events.csv', maxBytes: Number.MAX_SAFE_INTEGER };
  const { uploadId } = await imports.uploads.receive(call, createReadStream(file), upload);
  const { id: jobId } = (await imports.start(call, { uploadId, recordType: 'EVENTS', source: 'bench' })).job;
  const job = app.composition.jobs.find(({ name }) => name === 'customers.runImport');
  await job?.run({ jobId }, { signal: new AbortController().signal, logger, attempt: 1, lastAttempt: true });
  const { state, error } = await imports.get(jobId);
  if (state !== 'DONE') throw new Error(`the import is ${state}: ${error?.message}`);
});
await timed('features, segments and value', () => value.refresh(call));
await timed('lives', () => churn.refreshAll(call));
await timed('training', async () => {
  const { id } = await churnPrediction.requestTraining(call, null);
  await churnPrediction.runTraining(call, id, new AbortController().signal, true);
});
if ((await churnPrediction.model(null)) === null) throw new Error('no model went live');
await timed('first assessment', () => risk.assessAll(call));

const server = await app.startHttp();
process.on('message', async () => {
  steps.length = 0;
  await timed('features', () => value.refreshFeatures(call));
  await timed('predictions', () => churnPrediction.score(call));
  await timed('health and risk', () => risk.assessAll(call));
  const [row] = await engines.database.query<{ scored: number }>(
    'select count(*) as scored from customer_assessment where at >= $1',
    [new Date(NOW_MS)],
  );
  process.send?.({ steps, scored: Number(row?.scored) });
});
process.on('disconnect', async () => {
  await app.stop();
  await engines.close();
});
process.send?.({ url: `${server.url}/graphql` });
