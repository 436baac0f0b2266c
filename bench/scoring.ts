import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import autocannon from 'autocannon';
import { newId } from '../src/core/ids.ts';
import type { BenchResult } from './main.ts';
import type { Step } from './scoring/server.ts';

/** What everybody may take to be scored. */
const LIMIT_SECONDS = 30;
const CUSTOMERS = 100_000;
const CONNECTIONS = 2;
/** Requests a second: people at work, not a storm. */
const REQUESTS_PER_SECOND = 20;
const CALM_SECONDS = 5;

const QUERY = `{ customers(first: 20) { totalCount edges { node {
  id externalId health { score tier parts { name value } } risk { score category }
  churnPrediction { probability horizonDays reasons { sentence } } } } } }`;

/**
 * From a year of events to the health graph: features, predictions, health and risk of 100,000 customers, in the process that serves the API, and
 * how long a page of the health graph takes meanwhile.
 */
export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-scoring-'));
  const key = `bench-${newId()}`;
  const customers = quick ? 10_000 : CUSTOMERS;
  const child = fork(new URL('scoring/server.ts', import.meta.url), [folder, key, String(customers)]);
  try {
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    const load = (seconds: number) =>
      autocannon({
        url,
        connections: CONNECTIONS,
        overallRate: REQUESTS_PER_SECOND,
        duration: seconds,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify({ query: QUERY }),
      });
    await load(2);
    const calm = await load(CALM_SECONDS);
    const scoring = load(10 * LIMIT_SECONDS);
    child.send('score');
    const [{ steps, scored }] = (await once(child, 'message')) as [{ steps: readonly Step[]; scored: number }];
    scoring.stop();
    const meanwhile = await scoring;
    if (scored !== customers) throw new Error(`${scored} of ${customers} customers are scored`);
    for (const { errors, non2xx } of [calm, meanwhile]) {
      if (errors > 0 || non2xx > 0) throw new Error(`${errors} errors, ${non2xx} refused`);
    }
    const seconds = steps.reduce((sum, [, took]) => sum + took, 0);
    const rounded = (value: number): number => Number(value.toFixed(2));
    return {
      ratios: { time: rounded((LIMIT_SECONDS * customers) / CUSTOMERS / seconds) },
      bars: { time: 1 },
      figures: {
        customers,
        seconds: rounded(seconds),
        steps: Object.fromEntries(steps.map(([name, took]) => [name, rounded(took)])),
        apiRequestsPerSecond: REQUESTS_PER_SECOND,
        apiMs: { calm: latency(calm), meanwhile: latency(meanwhile) },
      },
    };
  } finally {
    child.disconnect();
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

const latency = ({ latency: { p50, p99, max } }: Awaited<ReturnType<typeof autocannon>>) => ({ p50, p99, max });
