import { assignBins, type Binning, type ColumnBins } from './bins.ts';
import type { Kernel } from './kernel.ts';
import { weightedQuantile, writeGradients } from './loss.ts';
import { BINS, JOB_SIZE, type Memory, type Plan, RECORD_HEAD } from './memory.ts';
import { randomOf, streamOf } from './random.ts';
import type { Settings } from './settings.ts';
import { createJudge } from './splits.ts';

/** What all threads of a training know. */
export interface Work {
  readonly data: Binning;
  readonly settings: Settings;
  readonly bins: readonly ColumnBins[];
  readonly plan: Plan;
  readonly memory: Memory;
  readonly kernel: Kernel;
}

/**
 * The steps of training that run on all threads at once. A step ends when all threads have done their part; what one
 * reads, none writes in the same step. `jobs` are stretches of `order`, the row numbers sorted by node:
 * [from, to, and two numbers of the phase].
 */
export const PHASES = [
  'bin',
  'gradients',
  'units',
  'histograms',
  'splits',
  'partition',
  'gather',
  'quantiles',
  'add',
] as const;
export type Phase = (typeof PHASES)[number];

/** Places in `memory.parameters`. Units are powers of two, so that scaling by them is exact. */
export const PARAMETER = { gradientUnit: 0, hessianUnit: 1, tree: 2, jobs: 3, infiniteRow: 4 } as const;
/** Rows are drawn from streams of numbers from here on, one per tree. */
const ROW_STREAM = 1 << 20;

/** The phases as one thread runs them. */
export function createPhases(work: Work, thread: number): Readonly<Record<Phase, () => void>> {
  const { data, settings, bins, plan, memory, kernel } = work;
  const { jobs, parameters, order, scores } = memory;
  const { rows, columns, threads } = plan;
  const from = Math.floor((rows * thread) / threads);
  const to = Math.floor((rows * (thread + 1)) / threads);
  const size = plan.binStart[columns]! * 2;
  const judge = createJudge(settings, plan, memory, bins, thread);

  /** This thread's part of the rows of all jobs: each thread gets as many, whatever the jobs' sizes. */
  function myParts(visit: (job: number, from: number, to: number) => void): void {
    const count = parameters[PARAMETER.jobs]!;
    const total = rowsOfJobs(memory, count);
    const first = Math.floor((total * thread) / threads);
    const end = Math.floor((total * (thread + 1)) / threads);
    let passed = 0;
    for (let job = 0; job < count && passed < end; job++) {
      const start = jobs[job * JOB_SIZE]!;
      const length = jobs[job * JOB_SIZE + 1]! - start;
      const head = Math.max(first - passed, 0);
      const tail = Math.min(end - passed, length);
      if (head < tail) visit(job, start + head, start + tail);
      passed += length;
    }
  }

  /** The largest sizes of this thread's gradients and hessians go to `perThread`. */
  function gradients(): void {
    writeGradients(settings.loss, { ...memory, from, to }, memory.gradients);
    if (settings.rowShare < 1) {
      const stream = streamOf(settings.seed, ROW_STREAM + parameters[PARAMETER.tree]!);
      const below = settings.rowShare * 2 ** 32;
      for (let row = from; row < to; row++) {
        if (randomOf(stream, row) >= below) memory.gradients.fill(0, 2 * row, 2 * row + 2);
      }
    }
    let largestGradient = 0;
    let largestHessian = 0;
    for (let index = 2 * from; index < 2 * to; index += 2) {
      largestGradient = Math.max(largestGradient, Math.abs(memory.gradients[index]!));
      largestHessian = Math.max(largestHessian, memory.gradients[index + 1]!);
    }
    memory.perThread[2 * thread] = largestGradient;
    memory.perThread[2 * thread + 1] = largestHessian;
  }

  /** Their sums go to `perThread`. */
  function units(): void {
    const { gradients: floats, recordWords } = memory;
    const words = plan.recordBytes / 4;
    const perGradient = 1 / parameters[PARAMETER.gradientUnit]!;
    const perHessian = 1 / parameters[PARAMETER.hessianUnit]!;
    let gradient = 0;
    let hessian = 0;
    for (let row = from; row < to; row++) {
      const rowGradient = Math.round(floats[2 * row]! * perGradient);
      const rowHessian = Math.round(floats[2 * row + 1]! * perHessian);
      recordWords[row * words] = rowGradient;
      recordWords[row * words + 1] = rowHessian;
      gradient += rowGradient;
      hessian += rowHessian;
      order[row] = row;
    }
    memory.perThread[2 * thread] = gradient;
    memory.perThread[2 * thread + 1] = hessian;
  }

  /** Jobs: [from, to, slot, slot of the sibling]. A node that began in an earlier thread's part is summed apart. */
  function histograms(): void {
    myParts((job, start, end) => {
      const began = jobs[job * JOB_SIZE]! === start;
      const place = began ? 'histograms' : 'partials';
      const index = (began ? jobs[job * JOB_SIZE + 2]! : thread) * size;
      memory[place].fill(0, index, index + size);
      kernel.addHistogram(start, end, place, index);
    });
  }

  /** Completes the histograms of the jobs and their siblings, column by column, and judges both. */
  function splits(): void {
    const count = parameters[PARAMETER.jobs]!;
    const sharers = sharersOfJobs(memory, count, threads);
    for (let job = 0; job < count; job++) {
      const slot = jobs[job * JOB_SIZE + 2]!;
      const sibling = jobs[job * JOB_SIZE + 3]!;
      for (let column = thread; column < columns; column += threads) {
        const start = 2 * plan.binStart[column]!;
        const end = 2 * plan.binStart[column + 1]!;
        for (const sharer of sharers[job]!)
          addTo(memory.histograms, slot * size, memory.partials, sharer * size, start, end);
        if (sibling >= 0) subtractFrom(memory.histograms, sibling * size, slot * size, start, end);
      }
      for (const judged of sibling >= 0 ? [slot, sibling] : [slot]) {
        judge.begin(judged);
        for (let column = thread; column < columns; column += threads) {
          if (memory.usedColumns[column] === 1) judge.tryColumn(column);
        }
        judge.end();
      }
    }
  }

  /** Jobs: [from, to, column]. Sorts the rows of each part into those that go left and those that go right. */
  function partition(): void {
    myParts((job, start, end) => {
      const column = jobs[job * JOB_SIZE + 2]!;
      memory.leftCounts[job * threads + thread] = kernel.partition(start, end, column, job * BINS);
    });
  }

  /** Puts the sorted parts of `partition` together: first all that go left, then all that go right. */
  function gather(): void {
    const { lefts, rights, leftCounts } = memory;
    myParts((job, start, end) => {
      const jobStart = jobs[job * JOB_SIZE]!;
      let before = 0;
      let all = 0;
      for (let other = 0; other < threads; other++) {
        const count = leftCounts[job * threads + other]!;
        if (other < thread) before += count;
        all += count;
      }
      const count = leftCounts[job * threads + thread]!;
      order.set(lefts.subarray(start, start + count), jobStart + before);
      order.set(rights.subarray(start, end - count), jobStart + all + (start - jobStart - before));
    });
  }

  /** Jobs: [from, to] of leaves. Finds the quantile of what is left to explain in each. */
  function quantiles(): void {
    const { loss } = settings;
    if (loss.kind !== 'quantile') return;
    const count = parameters[PARAMETER.jobs]!;
    for (let job = thread; job < count; job += threads) {
      const [start, end] = [jobs[job * JOB_SIZE]!, jobs[job * JOB_SIZE + 1]!];
      const residuals = new Float64Array(end - start);
      const weights = new Float64Array(plan.weighted ? end - start : 0);
      let used = 0;
      for (let index = start; index < end; index++) {
        const row = order[index]!;
        // Rows that this tree does not see, or that weigh nothing, have no hessian.
        if (memory.gradients[2 * row + 1] === 0) continue;
        if (plan.weighted) weights[used] = memory.weights[row]!;
        residuals[used++] = memory.labels[row]! - scores[row]!;
      }
      const part = residuals.subarray(0, used);
      memory.leafValues[job] = used === 0 ? 0 : weightedQuantile(part, weights.subarray(0, used), loss.alpha);
    }
  }

  /** Jobs: [from, to] of leaves. Adds each leaf's value to the scores of its rows. */
  function add(): void {
    myParts((job, start, end) => {
      const value = memory.leafValues[job]!;
      for (let index = start; index < end; index++) scores[order[index]!]! += value;
    });
  }

  function bin(): void {
    const infinite = assignBins(data, bins, from, to, { ...memory, recordBytes: plan.recordBytes, head: RECORD_HEAD });
    if (infinite >= 0) parameters[PARAMETER.infiniteRow] = infinite;
  }

  return { bin, gradients, units, histograms, splits, partition, gather, quantiles, add };
}

function rowsOfJobs({ jobs }: Memory, count: number): number {
  let total = 0;
  for (let job = 0; job < count; job++) total += jobs[job * JOB_SIZE + 1]! - jobs[job * JOB_SIZE]!;
  return total;
}

/** Per job, the threads whose part begins in the midst of it: their sums of it lie in `partials`. */
function sharersOfJobs(memory: Memory, count: number, threads: number): number[][] {
  const total = rowsOfJobs(memory, count);
  let passed = 0;
  return Array.from({ length: count }, (_, job) => {
    const start = passed;
    passed += memory.jobs[job * JOB_SIZE + 1]! - memory.jobs[job * JOB_SIZE]!;
    const sharers: number[] = [];
    for (let thread = 1; thread < threads; thread++) {
      const first = Math.floor((total * thread) / threads);
      const hasRows = first < Math.floor((total * (thread + 1)) / threads);
      if (hasRows && first > start && first < passed) sharers.push(thread);
    }
    return sharers;
  });
}

function addTo(into: Float64Array, at: number, from: Float64Array, fromAt: number, start: number, end: number): void {
  for (let index = start; index < end; index++) into[at + index]! += from[fromAt + index]!;
}

function subtractFrom(sums: Float64Array, at: number, takenAt: number, start: number, end: number): void {
  for (let index = start; index < end; index++) sums[at + index]! -= sums[takenAt + index]!;
}
