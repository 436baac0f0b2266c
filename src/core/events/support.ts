/** Resolves after a time, or at once when the signal aborts. */
export function abortableDelay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** A pause that can be cut short from elsewhere; ringing while nobody waits shortens the next pause. */
export interface Alarm {
  ring(): void;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createAlarm(): Alarm {
  let wakeUp: (() => void) | undefined;
  let rung = false;
  return {
    ring() {
      rung = true;
      wakeUp?.();
    },
    async wait(ms, signal) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener('abort', wakeUp, { once: true });
        });
        if (wakeUp !== undefined) signal.removeEventListener('abort', wakeUp);
        wakeUp = undefined;
      }
      rung = false;
    },
  };
}

/** Runs pieces of work one after the other. */
export function createMutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}
