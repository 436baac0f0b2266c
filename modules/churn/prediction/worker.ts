import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { TrainedModel } from './domain/model.ts';
import { type Scores, type ScoringInput, score } from './domain/scoring.ts';
import { type TrainingInput, trainChurnModel } from './domain/training.ts';

/** What is reckoned beside the main thread, so that requests are answered meanwhile. */
interface Tasks {
  readonly train: { readonly input: TrainingInput; readonly output: TrainedModel };
  readonly score: { readonly input: ScoringInput; readonly output: Scores };
}

const RUN: {
  readonly [Name in keyof Tasks]: (
    input: Tasks[Name]['input'],
  ) => Tasks[Name]['output'] | Promise<Tasks[Name]['output']>;
} = {
  train: trainChurnModel,
  score,
};

interface Asked<Name extends keyof Tasks> {
  readonly churnTask: Name;
  readonly input: Tasks[Name]['input'];
}

/** Runs a task in a thread of its own and ends the thread, at once when the signal says so. */
export function inThread<Name extends keyof Tasks>(
  name: Name,
  input: Tasks[Name]['input'],
  signal?: AbortSignal,
): Promise<Tasks[Name]['output']> {
  const asked: Asked<Name> = { churnTask: name, input };
  const thread = new Worker(new URL(import.meta.url), { workerData: asked });
  const stop = () => void thread.terminate();
  signal?.addEventListener('abort', stop);
  return new Promise<Tasks[Name]['output']>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(signal?.reason ?? new Error(`the thread of ${name} ended without an answer`)));
  }).finally(async () => {
    signal?.removeEventListener('abort', stop);
    await thread.terminate();
  });
}

async function answer<Name extends keyof Tasks>({ churnTask, input }: Asked<Name>): Promise<void> {
  parentPort?.postMessage(await RUN[churnTask](input));
}

if (!isMainThread && (workerData as Partial<Asked<keyof Tasks>> | null)?.churnTask !== undefined)
  await answer(workerData as Asked<keyof Tasks>);
