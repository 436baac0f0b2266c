/** The only source of time. Business code receives one; nothing else asks the machine. */
export interface Clock {
  now(): Date;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands until it is moved: for tests. */
export interface ManualClock extends Clock {
  set(at: Date): void;
  advance(durationMs: number): void;
}

/** @param start the first instant the clock shows */
export function manualClock(start: Date): ManualClock {
  let nowMs = start.getTime();
  return {
    now: () => new Date(nowMs),
    set: (at) => {
      nowMs = at.getTime();
    },
    advance: (durationMs) => {
      nowMs += durationMs;
    },
  };
}

/** A clock that showed `startsAt` at the real instant `setAt` and has ticked on since. */
export function shiftedClock(base: Clock, startsAt: Date, setAt: Date): Clock {
  const offsetMs = startsAt.getTime() - setAt.getTime();
  return { now: () => new Date(base.now().getTime() + offsetMs) };
}
