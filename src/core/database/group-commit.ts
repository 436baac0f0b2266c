import { DomainError, Overloaded } from '../errors.ts';
import type { Database, Tx } from './database.ts';

export interface GroupCommitOptions<I, O> {
  readonly database: Pick<Database, 'transaction'>;
  /** What the queue is called when it tells a caller that it is full. */
  readonly what: string;
  /** The rule for a batch, in order: an answer or a DomainError for each input. Throwing fails the batch, see below. */
  readonly run: (tx: Tx, inputs: readonly I[]) => Promise<readonly (O | DomainError)[]>;
  readonly maxBatch: number;
  /** Batches in flight at once: two keep the connection busy while the next batch gathers. */
  readonly maxInFlight?: number;
  readonly maxQueued: number;
}

interface Waiting<I, O> {
  readonly input: I;
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
  let inFlight = 0;

  const settle = (batch: readonly Waiting<I, O>[], outputs: readonly (O | DomainError)[]) => {
    if (outputs.length !== batch.length)
      throw new Error(`${options.what}: ${outputs.length} answers to ${batch.length} calls`);
    batch.forEach((waiting, index) => {
      const output = outputs[index] as O | DomainError;
      if (output instanceof DomainError) waiting.reject(output);
      else waiting.resolve(output);
    });
  };

  const commit = async (batch: readonly Waiting<I, O>[]): Promise<void> => {
    try {
      const inputs = batch.map((waiting) => waiting.input);
      settle(batch, await database.transaction((tx) => run(tx, inputs)));
    } catch (error) {
      if (batch.length === 1) (batch[0] as Waiting<I, O>).reject(error);
      else for (const waiting of batch) await commit([waiting]);
    }
  };

  const pump = () => {
    while (inFlight < maxInFlight && queue.length > 0) {
      const batch = queue.splice(0, maxBatch);
      inFlight += 1;
      void commit(batch).finally(() => {
        inFlight -= 1;
        pump();
      });
    }
  };

  return (input) =>
    new Promise<O>((resolve, reject) => {
      if (queue.length >= maxQueued) {
        reject(new Overloaded(options.what, 1_000));
        return;
      }
      queue.push({ input, resolve, reject });
      // Calls made in one turn of the event loop belong together.
      if (queue.length === 1) setImmediate(pump);
    });
}
