import type { ColumnBins } from './bins.ts';

/**
 * One block of memory holds everything that threads share while they train, at places that all of them compute alike.
 */
export interface Plan {
  readonly rows: number;
  readonly columns: number;
  readonly threads: number;
  /** Nodes that may have a histogram at the same time. */
  readonly slots: number;
  /** Jobs that can be handed to one phase. */
  readonly jobs: number;
  /** A row's record: gradient and hessian, then the bin of each column, together for the processor's cache. */
  readonly recordBytes: number;
  /** Per column, and one after the last: the first of its bins among all bins. */
  readonly binStart: Uint32Array;
  readonly weighted: boolean;
  /** Byte offsets. */
  readonly at: Readonly<Record<Place, number>>;
  readonly bytes: number;
}

const PLACES = [
  'control',
  'parameters',
  'perThread',
  'jobs',
  'leafValues',
  'nodes',
  'candidates',
  'candidateSets',
  'goesRight',
  'leftCounts',
  'usedColumns',
  'gradients',
  'order',
  'lefts',
  'rights',
  'labels',
  'weights',
  'scores',
  'histograms',
  'partials',
  'records',
  'byColumn',
] as const;
type Place = (typeof PLACES)[number];

/** A bin's sums: gradients, hessians. */
const PAIR = 2;
/** Bytes of gradient and hessian before a record's bins. */
export const RECORD_HEAD = 8;
const RECORD_ALIGNMENT = 8;
/** Whole numbers of one job, see phases.ts. */
export const JOB_SIZE = 4;
/** Numbers of one candidate, see splits.ts. */
export const CANDIDATE_SIZE = 6;
/** Numbers of one node that is judged: sums of gradients and hessians, least and largest leaf value. */
export const NODE_SIZE = 4;
/** Words of 32 bits that hold a set of bins. */
export const SET_WORDS = 8;
/** Different bins of a column at most. */
export const BINS = 256;
/** Whole numbers by which the team talks, see team.ts. */
const CONTROL_SIZE = 16;
/** Numbers that a phase is given, see phases.ts. */
const PARAMETERS = 8;
/** Jobs that can be handed to a phase even when few nodes have a histogram. */
const LEAST_JOBS = 64;
/** What each thread writes begins on a line of the processor's cache. */
const ALIGNMENT = 64;
/** WebAssembly addresses 4 GiB; offsets have to stay below. */
const MOST_BYTES = 2 ** 32 - 2 ** 16;

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly threads: number;
  readonly slots: number;
  readonly bins: readonly ColumnBins[];
  readonly weighted: boolean;
}

/** Lays out the memory. Throws RangeError when it would not fit. */
export function planMemory({ rows, columns, threads, slots, bins, weighted }: Shape): Plan {
  const binStart = new Uint32Array(columns + 1);
  for (const [column, { count }] of bins.entries()) binStart[column + 1] = binStart[column]! + count;
  const totalBins = binStart[columns]!;
  const jobs = Math.max(slots, LEAST_JOBS);
  const recordBytes = Math.ceil((RECORD_HEAD + columns) / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
  const sizes: Record<Place, number> = {
    control: CONTROL_SIZE * 4,
    parameters: PARAMETERS * 8,
    perThread: threads * 2 * 8,
    jobs: jobs * JOB_SIZE * 4,
    leafValues: jobs * 8,
    nodes: slots * NODE_SIZE * 8,
    candidates: slots * threads * CANDIDATE_SIZE * 8,
    candidateSets: slots * threads * SET_WORDS * 4,
    goesRight: jobs * BINS,
    leftCounts: jobs * threads * 4,
    usedColumns: columns,
    gradients: rows * 8,
    order: rows * 4,
    lefts: rows * 4,
    rights: rows * 4,
    labels: rows * 8,
    weights: weighted ? rows * 8 : 0,
    scores: rows * 8,
    histograms: slots * totalBins * PAIR * 8,
    partials: threads * totalBins * PAIR * 8,
    records: rows * recordBytes,
    byColumn: rows * columns,
  };
  const at = {} as Record<Place, number>;
  let bytes = 0;
  for (const place of PLACES) {
    at[place] = bytes;
    bytes += Math.ceil(sizes[place] / ALIGNMENT) * ALIGNMENT;
  }
  if (bytes > MOST_BYTES) {
    throw new RangeError(
      `training on ${rows} × ${columns} needs ${bytes} bytes, more than the ${MOST_BYTES} there are`,
    );
  }
  return { rows, columns, threads, slots, jobs, recordBytes, binStart, weighted, at, bytes };
}

/** The planned memory as typed arrays. */
export type Memory = ReturnType<typeof viewMemory>;

export function viewMemory(plan: Plan, buffer: ArrayBufferLike) {
  const { at, rows, columns, threads, slots, jobs, recordBytes, binStart } = plan;
  const pairs = binStart[columns]! * PAIR;
  return {
    buffer,
    control: new Int32Array(buffer, at.control, CONTROL_SIZE),
    parameters: new Float64Array(buffer, at.parameters, PARAMETERS),
    /** Per thread a number of the gradients and one of the hessians. */
    perThread: new Float64Array(buffer, at.perThread, threads * 2),
    jobs: new Int32Array(buffer, at.jobs, jobs * JOB_SIZE),
    leafValues: new Float64Array(buffer, at.leafValues, jobs),
    nodes: new Float64Array(buffer, at.nodes, slots * NODE_SIZE),
    candidates: new Float64Array(buffer, at.candidates, slots * threads * CANDIDATE_SIZE),
    candidateSets: new Uint32Array(buffer, at.candidateSets, slots * threads * SET_WORDS),
    /** Per job and bin: 1 when the bin goes to the right child. */
    goesRight: new Uint8Array(buffer, at.goesRight, jobs * BINS),
    /** Per job and thread: the rows of the thread's part that go left. */
    leftCounts: new Int32Array(buffer, at.leftCounts, jobs * threads),
    usedColumns: new Uint8Array(buffer, at.usedColumns, columns),
    /** Gradient and hessian of each row, alternating. */
    gradients: new Float32Array(buffer, at.gradients, rows * 2),
    /** The records; the same as 32-bit numbers, for gradients and hessians as whole numbers of their units. */
    records: new Uint8Array(buffer, at.records, rows * recordBytes),
    recordWords: new Int32Array(buffer, at.records, (rows * recordBytes) / 4),
    order: new Uint32Array(buffer, at.order, rows),
    lefts: new Uint32Array(buffer, at.lefts, rows),
    rights: new Uint32Array(buffer, at.rights, rows),
    labels: new Float64Array(buffer, at.labels, rows),
    weights: new Float64Array(buffer, at.weights, plan.weighted ? rows : 0),
    scores: new Float64Array(buffer, at.scores, rows),
    histograms: new Float64Array(buffer, at.histograms, slots * pairs),
    partials: new Float64Array(buffer, at.partials, threads * pairs),
    byColumn: new Uint8Array(buffer, at.byColumn, rows * columns),
  };
}
