/** Lets so many in at once; the rest stand in line, first come, first served. */
export interface Gate {
  /** Resolves when it is one's turn; whoever was let in must `leave`. @throws the signal's reason */
  enter(signal?: AbortSignal): Promise<void>;
  leave(): void;
  /** Lets nobody new in and resolves when all have left, those in line included. */
  close(): Promise<void>;
}

/** ClickHouse's own words for a server that is asked too much at once. */
const TOO_MANY =
  'Code: 202. DB::Exception: Too many simultaneous queries: nothing was done, try again later. (TOO_MANY_SIMULTANEOUS_QUERIES)';

/**
 * @param size how many are in at once
 * @param line how many may wait; beyond, `enter` rejects
 */
export function createGate(size: number, line: number): Gate {
  const waiting: (() => void)[] = [];
  let inside = 0;
  let closing: PromiseWithResolvers<void> | undefined;

  return {
    async enter(signal) {
      signal?.throwIfAborted();
      if (closing !== undefined) throw new Error('the history engine is closed');
      if (inside < size) {
        inside += 1;
        return;
      }
      if (waiting.length >= line) throw new Error(TOO_MANY);
      await new Promise<void>((resolve, reject) => {
        // Whoever leaves hands its place over, so that nobody can slip in between.
        const onTurn = (): void => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        };
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(onTurn), 1);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(onTurn);
      });
    },
    leave() {
      const next = waiting.shift();
      if (next !== undefined) {
        next();
        return;
      }
      inside -= 1;
      if (inside === 0) closing?.resolve();
    },
    close() {
      closing ??= Promise.withResolvers<void>();
      if (inside === 0) closing.resolve();
      return closing.promise;
    },
  };
}
