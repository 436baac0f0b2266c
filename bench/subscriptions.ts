import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pointsAwarded } from '../modules/loyalty/events.ts';
import { openDataFolder } from '../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../src/app/embedded/postgres.ts';
import { systemCall } from '../src/core/call.ts';
import { systemClock } from '../src/core/clock.ts';
import { createDatabase, type Database } from '../src/core/database/index.ts';
import { migrateAll } from '../src/core/database/migrate-all.ts';
import { appendEvents, newEvent } from '../src/core/events/index.ts';
import { newId } from '../src/core/ids.ts';
import { createLogger } from '../src/core/logger.ts';
import type { BenchResult } from './main.ts';
import type { Plan, Round, RoundResult } from './subscriptions/subscribers.ts';
import { ask, startHoldfast, startLimit, stopChild, type Target } from './subscriptions/targets.ts';

/**
 * Fan-out of events to 1,000 subscribers. The server under test and the subscribers each have a process of their own;
 * this one writes the events. The real server (`serve`, with its worker off so that both do the same work) stands against
 * raw SSE over the same tail.
 */
const SUBSCRIBERS = 1_000;
const ROUNDS = 3;
/** As concurrent awards share a commit. */
const EVENTS_PER_COMMIT = 10;
/** Well below what either can do, so that what is measured is the way and not the queue. */
const PACED_COMMITS_PER_SECOND = 25;
const CONNECT_TIMEOUT_MS = 60_000;
const KEY = `bench-${newId()}`;
const QUERY =
  'subscription { events(types: [LOYALTY_POINTS_AWARDED]) { id cursor type at ... on DomainEvent { payload } } }';

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
const log = (line: string): void => void process.stderr.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

interface Sizes {
  /** As many events as can be written, again and again: what the server can deliver. */
  readonly bursts: number;
  readonly burst: number;
  /** Events one by one: how long a delivery takes. */
  readonly paced: number;
}

interface Measured {
  readonly perSecond: number;
  readonly cpuMsPerMillion: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), 'holdfast-bench-subscriptions-')));
  const stops: (() => unknown)[] = [
    () => rmSync(folder.path, { recursive: true, force: true }),
    () => folder.release(),
  ];
  try {
    const postgres = await startEmbeddedPostgres({ folder: folder.path });
    stops.push(() => postgres.stop());
    await migrateAll({ connectionString: postgres.url }, { createDatabase: true });
    const database = createDatabase({ url: postgres.url, logger: createLogger('warn'), maxConnections: 4 });
    stops.push(() => database.close());
    const raw = await startLimit(postgres.url, stops);
    const holdfast = await startHoldfast(postgres.url, KEY, stops);
    const generator = fork(new URL('subscriptions/subscribers.ts', import.meta.url));
    stops.push(() => stopChild(generator));
    const writer = createWriter(database);
    const sizes: Sizes = quick ? { bursts: 3, burst: 400, paced: 75 } : { bursts: 9, burst: 500, paced: 250 };
    const targets: readonly Target[] = [
      raw,
      holdfast,
      { ...holdfast, name: 'holdfast over WebSocket', transport: 'websocket' },
    ];
    const results = new Map<string, Measured[]>();
    for (const target of targets) await measure(target, generator, writer, { bursts: 1, burst: 200, paced: 10 });
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const target of targets) {
        const measured = await measure(target, generator, writer, sizes);
        log(
          `round ${round}, ${target.name}: ${Math.round(measured.perSecond)} deliveries/s, p99 ${rounded(measured.p99Ms)} ms`,
        );
        results.set(target.name, [...(results.get(target.name) ?? []), measured]);
      }
    }
    return summarise(
      targets.map((target) => results.get(target.name) as Measured[]) as [Measured[], Measured[], Measured[]],
    );
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function summarise([raw, sse, webSocket]: [Measured[], Measured[], Measured[]]): BenchResult {
  const of = (measured: readonly Measured[], figure: keyof Measured) => median(measured.map((each) => each[figure]));
  const ratio = (figure: keyof Measured, a: readonly Measured[], b: readonly Measured[]) =>
    rounded(median(a.map((each, i) => each[figure] / (b[i] as Measured)[figure])));
  const figures = (measured: readonly Measured[]) => ({
    deliveriesPerSecond: Math.round(of(measured, 'perSecond')),
    serverCpuMsPerMillion: Math.round(of(measured, 'cpuMsPerMillion')),
    p50Ms: rounded(of(measured, 'p50Ms')),
    p99Ms: rounded(of(measured, 'p99Ms')),
  });
  return {
    ratios: {
      fanout: ratio('perSecond', sse, raw),
      websocket: ratio('perSecond', webSocket, raw),
      // The other way round, so that more is better here too: the bar is p99 of at most three times raw.
      latency: ratio('p99Ms', raw, sse),
      serverCpu: ratio('cpuMsPerMillion', raw, sse),
    },
    bars: { fanout: 0.6, latency: 0.33 },
    figures: {
      subscribers: SUBSCRIBERS,
      lost: 0,
      twice: 0,
      raw: figures(raw),
      sse: figures(sse),
      websocket: figures(webSocket),
    },
  };
}

/** @throws Error when a subscriber misses an event or gets one twice */
async function measure(
  target: Target,
  generator: ChildProcess,
  writer: ReturnType<typeof createWriter>,
  sizes: Sizes,
): Promise<Measured> {
  const plan: Plan = {
    port: target.port,
    transport: target.transport,
    key: KEY,
    query: QUERY,
    subscribers: SUBSCRIBERS,
  };
  await ask(generator, { plan });
  const deadlineMs = nowMs() + CONNECT_TIMEOUT_MS;
  for (let open = 0; open !== SUBSCRIBERS; open = await target.subscribers()) {
    if (nowMs() > deadlineMs)
      throw new Error(`${target.name}: only ${open} of ${SUBSCRIBERS} subscribers are connected`);
    await delay(20);
  }
  const play = async (count: number, perSecond: number | null) => {
    const round: Round = { first: writer.next, count };
    await ask(generator, { round });
    const startedAtMs = nowMs();
    const cpuBefore = await target.cpuMs();
    const committedAtMs = await writer.write(count, perSecond);
    const result = await ask<RoundResult>(generator, { committedAtMs });
    if (result.lost > 0 || result.twice > 0)
      throw new Error(`${target.name}: ${result.lost} lost, ${result.twice} twice`);
    const cpuMs = (await target.cpuMs()) - cpuBefore;
    return {
      ...result,
      perSecond: (result.delivered / (result.lastAtMs - startedAtMs)) * 1e3,
      cpuMsPerMillion: (cpuMs / result.delivered) * 1e6,
    };
  };
  const bursts = [];
  for (let burst = 0; burst < sizes.bursts; burst += 1) bursts.push(await play(sizes.burst, null));
  const { p50Ms, p99Ms } = await play(sizes.paced, PACED_COMMITS_PER_SECOND);
  return {
    perSecond: median(bursts.map((burst) => burst.perSecond)),
    cpuMsPerMillion: median(bursts.map((burst) => burst.cpuMsPerMillion)),
    p50Ms,
    p99Ms,
  };
}

/** Publishes numbered events as an award of points would. */
function createWriter(database: Database) {
  const call = systemCall('bench');
  const ids = { entryId: newId(), accountId: newId() };
  let next = 1;
  const event = () =>
    newEvent(pointsAwarded, {
      customerId: null,
      payload: {
        ...ids,
        points: next++,
        balance: 1_000,
        earned: 1_000,
        tier: 'BRONZE',
        rule: 'order',
        source: 'ORDER',
        sourceId: null,
      },
    });
  return {
    get next() {
      return next;
    },
    /** @returns when each event was committed */
    async write(count: number, perSecond: number | null): Promise<number[]> {
      const committedAtMs: number[] = [];
      const startedAtMs = nowMs();
      const size = perSecond === null ? EVENTS_PER_COMMIT : 1;
      for (let commits = 0; committedAtMs.length < count; commits += 1) {
        if (perSecond !== null) await delay(Math.max(0, startedAtMs + (commits * 1e3) / perSecond - nowMs()));
        await database.transaction((tx) => appendEvents(tx, call, systemClock, Array.from({ length: size }, event)));
        const atMs = nowMs();
        for (let i = 0; i < size; i += 1) committedAtMs.push(atMs);
      }
      return committedAtMs;
    },
  };
}
