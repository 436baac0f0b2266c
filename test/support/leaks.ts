import { afterAll, beforeAll } from 'vitest';

/**
 * Fails a test file that leaves a handle open (a socket, a server, a child process, a timer), since whatever keeps a
 * test process alive would also keep a server from stopping gracefully.
 *
 * A handle may need a moment to close after its owner was asked to, hence the grace period.
 */
const GRACE_MS = 5_000;
const POLL_MS = 20;

/** The parts of Node's timer object that tell whether it still keeps the process alive. */
interface Timer {
  hasRef(): boolean;
  _destroyed?: boolean;
}

// The runner has timers of its own, so only those made through the globals, by the code under test, are counted.
const timers = new Set<Timer>();
const { setTimeout: realSetTimeout, setInterval: realSetInterval } = globalThis;

function track<F extends (...args: never[]) => Timer>(create: F): F {
  const tracked = (...args: Parameters<F>) => {
    const timer = create(...args);
    timers.add(timer);
    return timer;
  };
  return Object.assign(tracked, create) as unknown as F;
}

let before = new Map<string, number>();

function openHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const kind of process.getActiveResourcesInfo()) if (kind !== 'Timeout' && kind !== 'Immediate') count(kind);
  for (const timer of timers) {
    if (timer._destroyed) timers.delete(timer);
    else if (timer.hasRef()) count('timer');
  }
  return counts;
}

function leaked(): string[] {
  return [...openHandles()]
    .filter(([kind, count]) => count > (before.get(kind) ?? 0))
    .map(([kind, count]) => `${kind} × ${count - (before.get(kind) ?? 0)}`);
}

beforeAll(() => {
  globalThis.setTimeout = track(realSetTimeout);
  globalThis.setInterval = track(realSetInterval);
  before = openHandles();
});

afterAll(async () => {
  const deadline = performance.now() + GRACE_MS;
  while (leaked().length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => realSetTimeout(resolve, POLL_MS));
  }
  globalThis.setTimeout = realSetTimeout;
  globalThis.setInterval = realSetInterval;
  const handles = leaked();
  if (handles.length > 0) throw new Error(`the tests of this file left handles open: ${handles.join(', ')}`);
});
