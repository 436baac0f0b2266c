import { Worker } from 'node:worker_threads';
import { type ColumnBins, findBins } from './bins.ts';
import { boost } from './boost.ts';
import { slotsFor } from './grow.ts';
import { createMemory, createPlainKernel } from './kernel.ts';
import { type Plan, planMemory, viewMemory } from './memory.ts';
import { createPhases, type Work } from './phases.ts';
import type { Training } from './prepare.ts';
import { soleTeam } from './team.ts';
import { type Features, type Tree, TreeInputError } from './types.ts';
import type { Answer, Request } from './worker.ts';

/** Trains in the calling thread. */
export function trainHere(training: Training): readonly Tree[] {
  const { data, settings, base, validation } = training;
  const bins = findBins(
    data,
    Array.from({ length: data.columns }, (_, column) => column),
  );
  const plan = planFor(training, bins, 1);
  const memory = viewMemory(plan, new ArrayBuffer(plan.bytes));
  memory.labels.set(training.labels);
  memory.weights.set(data.weights);
  const work: Work = { data, settings, bins, plan, memory, kernel: createPlainKernel(plan, memory) };
  return boost(work, soleTeam(createPhases(work, 0)), base, validation);
}

/** Trains on worker threads. */
export async function trainOnThreads(training: Training, threads: number): Promise<readonly Tree[]> {
  const { settings, base, validation, labels } = training;
  const data = { ...training.data, features: inSharedMemory(training.data.features) };
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./worker.ts', import.meta.url)));
  try {
    const found = await Promise.all(
      workers.map((worker, thread) => {
        const columns = Array.from({ length: data.columns }, (_, column) => column);
        return ask(worker, { task: 'bins', data, columns: columns.filter((column) => column % threads === thread) });
      }),
    );
    const byThread = found.map((answer) => ('bins' in answer ? answer.bins : []));
    const bins = Array.from(
      { length: data.columns },
      (_, column) => byThread[column % threads]![Math.floor(column / threads)]!,
    );
    const plan = planFor(training, bins, threads);
    const memory = createMemory(plan);
    const views = viewMemory(plan, memory.buffer);
    views.labels.set(labels);
    views.weights.set(data.weights);
    const [answer] = await Promise.all(
      workers.map((worker, thread) =>
        ask(worker, {
          task: 'train',
          ...{ thread, data: { ...data, weights: views.weights }, settings, bins, plan, memory, base },
          validation: thread === 0 ? validation : null,
        }),
      ),
    );
    if (answer !== undefined && 'refused' in answer) {
      throw new TreeInputError(answer.refused.field, answer.refused.problem);
    }
    return answer !== undefined && 'trees' in answer ? answer.trees : [];
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function planFor({ data, settings }: Training, bins: readonly ColumnBins[], threads: number): Plan {
  const totalBins = bins.reduce((sum, { count }) => sum + count, 0);
  const { rows, columns, weights } = data;
  const slots = slotsFor(settings.depth, settings.leaves, totalBins);
  return planMemory({ rows, columns, threads, slots, bins, weighted: weights.length > 0 });
}

function inSharedMemory(features: Features): Features {
  if (features.buffer instanceof SharedArrayBuffer) return features;
  const buffer = new SharedArrayBuffer(features.byteLength);
  const shared = features instanceof Float32Array ? new Float32Array(buffer) : new Float64Array(buffer);
  shared.set(features);
  return shared;
}

/** Sends a request and waits for the answer; rejects when the thread fails or ends without one. */
function ask(worker: Worker, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number): void => reject(new Error(`a thread of the training ended with code ${code}`));
    worker.once('message', (answer: Answer) => {
      worker.off('error', reject);
      worker.off('exit', onExit);
      resolve(answer);
    });
    worker.once('error', reject);
    worker.once('exit', onExit);
    worker.postMessage(request);
  });
}
