import { parentPort } from 'node:worker_threads';
import { type Binning, type ColumnBins, findBins } from './bins.ts';
import { boost } from './boost.ts';
import { createWasmKernel } from './kernel.ts';
import { type Plan, viewMemory } from './memory.ts';
import { createPhases, type Work } from './phases.ts';
import type { Settings } from './settings.ts';
import { follow, leadTeam } from './team.ts';
import { type Tree, TreeInputError, type ValidationData } from './types.ts';

/** What a thread of a training is asked to do. */
export type Request =
  | { readonly task: 'bins'; readonly data: Binning; readonly columns: readonly number[] }
  | {
      readonly task: 'train';
      readonly thread: number;
      readonly data: Binning;
      readonly settings: Settings;
      readonly bins: readonly ColumnBins[];
      readonly plan: Plan;
      readonly memory: WebAssembly.Memory;
      readonly base: number;
      /** Only the first thread looks at these. */
      readonly validation: ValidationData | null;
    };

/** What it answers. */
export type Answer =
  | { readonly bins: readonly ColumnBins[] }
  | { readonly trees: readonly Tree[] }
  | { readonly refused: { readonly field: string; readonly problem: string } };

function answer(request: Request): Answer {
  if (request.task === 'bins') return { bins: findBins(request.data, request.columns) };
  const { thread, data, settings, bins, plan } = request;
  const memory = viewMemory(plan, request.memory.buffer);
  const work: Work = { data, settings, bins, plan, memory, kernel: createWasmKernel(plan, request.memory) };
  const phases = createPhases(work, thread);
  if (thread > 0) {
    follow(memory.control, phases);
    return { trees: [] };
  }
  const team = leadTeam(memory.control, plan.threads, phases);
  try {
    return { trees: boost(work, team, request.base, request.validation) };
  } finally {
    team.dismiss();
  }
}

parentPort?.on('message', (request: Request) => {
  try {
    parentPort?.postMessage(answer(request));
  } catch (error) {
    // An error's class does not survive the way to another thread.
    if (!(error instanceof TreeInputError)) throw error;
    parentPort?.postMessage({ refused: { field: error.field, problem: error.problem } } satisfies Answer);
  }
});
