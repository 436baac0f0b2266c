import { DomainError, Overloaded } from '../errors.ts';
import type { Database, TransactionOptions, Tx } from './database.ts';

export interface GroupCommitOptions<I, O> {
  readonly database: Pick<Database, 'transaction'>;
  /** What the queue is called when it tells a caller that it is full. */
  readonly what: string;
  /** The rule for a batch, in order: an answer or a DomainError for each input. Throwing fails the batch, see below. */
  readonly run: (tx: Tx, inputs: readonly I[]) => Promise<readonly (O | DomainError)[]>;
  /**
   * Tried before `run`, without the shared transaction. Undefined: it could not, and nothing was changed. Attempts on the
   * same locks may overlap: it is theirs to see that each builds on the one before or changes nothing.
   */
  readonly attempt?: (inputs: readonly I[]) => Promise<readonly (O | DomainError)[] | undefined>;
  readonly maxBatch: number;
  /** Batches in flight at once: two keep the connection busy while the next batch gathers. */
  readonly maxInFlight?: number;
  readonly maxQueued: number;
  /**
   * What an input locks. Inputs that lock what a batch in its transaction holds stay in the queue until it is done,
   * instead of holding a connection that can only wait; the others go ahead.
   */
  readonly keyOf?: (input: I) => string | undefined;
  /**
   * For inputs with names: one that comes while another of its name is under way waits for that to end, so that it finds
   * the answer, or is refused when that takes too long.
   */
  readonly repeats?: {
    nameOf(input: I): string | null;
    readonly waitMs: number;
    tooLong(input: I): DomainError;
  };
  /** How the shared transactions are run, e.g. pipelined. */
  readonly transaction?: TransactionOptions;
}

/** Below this a batch is not divided: its round trips would cost more than they save. */
const SMALL_BATCH = 8;

/** How many batches deep the queue is searched for inputs that can run. */
const LOOK_AHEAD = 4;

interface Waiting<I, O> {
  readonly input: I;
  readonly key: string | undefined;
  readonly resolve: (output: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit (DeWitt et al., 1984): concurrent calls share a transaction, so that the cost of a commit is paid once
 * for all of them. Each caller waits for the commit that holds its own answer. A batch that throws is rolled back and its
 * inputs are run one by one, so that one bad call cannot fail its neighbours.
 * @returns a function that runs one input; rejects with its DomainError, or `Overloaded` when too many wait
 */
export function createGroupCommit<I, O>(options: GroupCommitOptions<I, O>): (input: I) => Promise<O> {
  const { database, run, maxBatch, maxQueued, maxInFlight = 2 } = options;
  const queue: Waiting<I, O>[] = [];
  const busy = new Map<string, number>();
  let inFlight = 0;
  let scheduled = false;

  const settle = (batch: readonly Waiting<I, O>[], outputs: readonly (O | DomainError)[]) => {
    if (outputs.length !== batch.length)
      throw new Error(`${options.what}: ${outputs.length} answers to ${batch.length} calls`);
    batch.forEach((waiting, index) => {
      const output = outputs[index] as O | DomainError;
      if (output instanceof DomainError) waiting.reject(output);
      else waiting.resolve(output);
    });
  };

  const keysOf = (batch: readonly Waiting<I, O>[]) =>
    new Set(batch.map((waiting) => waiting.key).filter((key) => key !== undefined));

  /** Keeps away who would only wait for the locks of the transaction. */
  const transaction = async (batch: readonly Waiting<I, O>[]) => {
    const keys = keysOf(batch);
    for (const key of keys) busy.set(key, (busy.get(key) ?? 0) + 1);
    try {
      const inputs = batch.map((waiting) => waiting.input);
      return await database.transaction((tx) => run(tx, inputs), options.transaction);
    } finally {
      for (const key of keys) {
        const others = (busy.get(key) ?? 0) - 1;
        if (others > 0) busy.set(key, others);
        else busy.delete(key);
      }
    }
  };

  const commit = async (batch: readonly Waiting<I, O>[]): Promise<void> => {
    try {
      const attempted = await options.attempt?.(batch.map((waiting) => waiting.input));
      settle(batch, attempted ?? (await transaction(batch)));
    } catch (error) {
      if (batch.length === 1) (batch[0] as Waiting<I, O>).reject(error);
      else for (const waiting of batch) await commit([waiting]);
    }
  };

  /** What waits is shared between the free places, so that one batch is prepared while the database works on another. */
  const shareOf = (waiting: number, free: number) =>
    Math.min(maxBatch, Math.max(Math.ceil(waiting / free), SMALL_BATCH));

  /** Without attempts, what waits for the same locks could only wait longer: it goes along, in order. */
  const gathers = options.attempt === undefined;

  /** The first inputs that can run beside what is in flight. */
  const take = (): Waiting<I, O>[] => {
    const share = shareOf(queue.length, maxInFlight - inFlight);
    const batch: Waiting<I, O>[] = [];
    const keys = new Set<string>();
    const looked = Math.min(queue.length, maxBatch * LOOK_AHEAD);
    let kept = 0;
    for (let index = 0; index < looked; index++) {
      const waiting = queue[index] as Waiting<I, O>;
      const { key } = waiting;
      const free = key === undefined || !busy.has(key);
      const together = gathers && key !== undefined && keys.has(key) && batch.length < maxBatch;
      if (free && (batch.length < share || together)) {
        batch.push(waiting);
        if (key !== undefined) keys.add(key);
      } else queue[kept++] = waiting;
    }
    queue.splice(kept, looked - kept);
    return batch;
  };

  const pump = () => {
    scheduled = false;
    while (inFlight < maxInFlight && queue.length > 0) {
      const batch = take();
      if (batch.length === 0) return;
      inFlight += 1;
      void commit(batch).finally(() => {
        inFlight -= 1;
        schedule();
      });
    }
  };

  /** Calls made in one turn of the event loop belong together. */
  const schedule = () => {
    if (scheduled || inFlight >= maxInFlight) return;
    scheduled = true;
    setImmediate(pump);
  };

  const enqueue = (input: I) =>
    new Promise<O>((resolve, reject) => {
      if (queue.length >= maxQueued) {
        reject(new Overloaded(options.what, 1_000));
        return;
      }
      queue.push({ input, key: options.keyOf?.(input), resolve, reject });
      schedule();
    });

  const { repeats } = options;
  if (repeats === undefined) return enqueue;
  const underWay = new Map<string, Promise<unknown>>();
  return (input) => {
    const name = repeats.nameOf(input);
    if (name === null) return enqueue(input);
    const first = underWay.get(name);
    if (first !== undefined)
      return endOf(first, repeats.waitMs, () => repeats.tooLong(input)).then(() => enqueue(input));
    const own = enqueue(input);
    underWay.set(name, own);
    const forget = () => underWay.delete(name);
    own.then(forget, forget);
    return own;
  };
}

/** Resolves when a promise has come to its end, either way. @throws what `tooLong` makes when that takes longer */
function endOf(promise: Promise<unknown>, waitMs: number, tooLong: () => DomainError): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLong()), waitMs);
    const ended = () => {
      clearTimeout(timer);
      resolve();
    };
    promise.then(ended, ended);
  });
}
