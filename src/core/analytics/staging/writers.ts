import type { Analytics } from '../types.ts';
import type { ScannedReject, ScanSink } from './csv.ts';
import type { ShapeRule } from './types.ts';

/** Writes chunks of TSV while the scan goes on. */
export interface ChunkWriter {
  /** Takes a copy. */
  readonly push: ScanSink['chunk'];
  /** Resolves when another chunk may be made. */
  room(): Promise<void>;
  /** Resolves when nothing is under way, failed or not. */
  settled(): Promise<void>;
  /** Like `settled`, but throws the first failure. */
  finish(): Promise<void>;
}

/** Two chunks on their way keep both sides busy and bound the memory. */
const MAX_CHUNKS_UNDER_WAY = 2;

export function createChunkWriter(
  analytics: Analytics,
  table: string,
  columns: readonly string[],
  signal: AbortSignal | undefined,
): ChunkWriter {
  const underWay = new Set<Promise<void>>();
  /** Memory of chunks that have arrived, for the next ones. */
  const spare: Buffer[] = [];
  let failure: { readonly error: unknown } | undefined;
  const throwFailure = (): void => {
    if (failure !== undefined) throw failure.error;
  };
  return {
    push(tsv) {
      const options = { columns, ...(signal === undefined ? {} : { signal }) };
      const fitting = spare.findIndex(({ length }) => length >= tsv.length);
      const [memory = Buffer.allocUnsafe(tsv.length)] = fitting === -1 ? [] : spare.splice(fitting, 1);
      memory.set(tsv);
      const load = analytics
        .load(table, 'TSV', memory.subarray(0, tsv.length), options)
        .then(
          () => void spare.push(memory),
          (error: unknown) => {
            failure ??= { error };
          },
        )
        .finally(() => underWay.delete(load));
      underWay.add(load);
    },
    async room() {
      while (underWay.size >= MAX_CHUNKS_UNDER_WAY) await Promise.race(underWay);
      throwFailure();
    },
    async settled() {
      await Promise.all(underWay);
    },
    async finish() {
      await Promise.all(underWay);
      throwFailure();
    },
  };
}

/** Writes the rejects of a scan, some thousand at a time. */
export interface RejectWriter {
  readonly push: ScanSink['reject'];
  readonly counts: ReadonlyMap<ShapeRule, number>;
  total(): number;
  room(): Promise<void>;
  finish(): Promise<void>;
}

const REJECTS_PER_INSERT = 10_000;

export function createRejectWriter(analytics: Analytics, table: string): RejectWriter {
  let waiting: ScannedReject[] = [];
  let total = 0;
  const counts = new Map<ShapeRule, number>();
  const flush = async (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    await analytics.insert(table, rows);
  };
  return {
    counts,
    total: () => total,
    push(reject) {
      total += 1;
      counts.set(reject.rule, (counts.get(reject.rule) ?? 0) + 1);
      waiting.push(reject);
    },
    async room() {
      if (waiting.length >= REJECTS_PER_INSERT) await flush();
    },
    finish: flush,
  };
}
