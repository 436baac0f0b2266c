import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { pickActions } from './allocation/domain/pick.ts';
import type { AllocationPicks, AllocationProblem } from './allocation/domain/problem.ts';
import { type ClusterOptions, type CustomerClusters, clusterCustomers } from './domain/clustering.ts';
import { estimateLifetime, type LifetimeOptions, type LifetimeOutcome, type PurchaseFacts } from './domain/lifetime.ts';
import { learnTreeValue, type TreeValueOutcome, type ValueWindow } from './domain/tree-value.ts';

/** What is reckoned beside the main thread, so that requests are answered meanwhile. */
interface Tasks {
  readonly clusters: {
    readonly input: readonly [Float64Array, ClusterOptions];
    readonly output: CustomerClusters | null;
  };
  readonly lifetime: { readonly input: readonly [PurchaseFacts, LifetimeOptions]; readonly output: LifetimeOutcome };
  readonly picks: { readonly input: readonly [AllocationProblem]; readonly output: AllocationPicks };
  readonly trees: {
    readonly input: readonly [readonly ValueWindow[]];
    readonly output: TreeValueOutcome | Promise<TreeValueOutcome>;
  };
}

const RUN: { readonly [Name in keyof Tasks]: (...input: Tasks[Name]['input']) => Tasks[Name]['output'] } = {
  clusters: clusterCustomers,
  lifetime: estimateLifetime,
  picks: pickActions,
  trees: learnTreeValue,
};

interface Asked<Name extends keyof Tasks> {
  readonly valueTask: Name;
  readonly input: Tasks[Name]['input'];
}

/** Starting a thread takes longer than a task over so few numbers. */
const SMALL = 5_000;

/** Runs a task in a thread of its own and ends the thread; a small one at once. */
export async function beside<Name extends keyof Tasks>(
  name: Name,
  input: Tasks[Name]['input'],
  numbers: number,
  signal?: AbortSignal,
): Promise<Awaited<Tasks[Name]['output']>> {
  return numbers <= SMALL ? await RUN[name](...input) : inThread(name, input, signal);
}

function inThread<Name extends keyof Tasks>(
  name: Name,
  input: Tasks[Name]['input'],
  signal?: AbortSignal,
): Promise<Awaited<Tasks[Name]['output']>> {
  const asked: Asked<Name> = { valueTask: name, input };
  const thread = new Worker(new URL(import.meta.url), { workerData: asked });
  const stop = () => void thread.terminate();
  signal?.addEventListener('abort', stop);
  return new Promise<Awaited<Tasks[Name]['output']>>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(signal?.reason ?? new Error(`the thread of ${name} ended without an answer`)));
  }).finally(async () => {
    signal?.removeEventListener('abort', stop);
    await thread.terminate();
  });
}

async function answer<Name extends keyof Tasks>({ valueTask, input }: Asked<Name>): Promise<void> {
  parentPort?.postMessage(await RUN[valueTask](...input));
}

if (!isMainThread && (workerData as Partial<Asked<keyof Tasks>> | null)?.valueTask !== undefined)
  await answer(workerData as Asked<keyof Tasks>);
