import { PHASES, type Phase } from './phases.ts';

/** Runs a phase on all threads and returns when all are done. */
export interface Team {
  readonly threads: number;
  run(phase: Phase): void;
}

type Phases = Readonly<Record<Phase, () => void>>;

/** Places in `memory.control`. */
const CONTROL = { round: 0, phase: 1, arrived: 2, failed: 3 } as const;
/** The phase number that sends the members home. */
const DISMISSED = PHASES.length;
/** How often to look before sleeping: phases follow each other within microseconds, and waking up takes longer. */
const LOOKS = 2_000;

/** A team of one. */
export function soleTeam(phases: Phases): Team {
  return { threads: 1, run: (phase) => phases[phase]() };
}

/** The leading thread's view of a team whose other members run `follow`. */
export function leadTeam(control: Int32Array, threads: number, phases: Phases): Team & { dismiss(): void } {
  function start(phase: number): void {
    Atomics.store(control, CONTROL.phase, phase);
    Atomics.store(control, CONTROL.arrived, 0);
    Atomics.add(control, CONTROL.round, 1);
    Atomics.notify(control, CONTROL.round);
  }
  return {
    threads,
    run(phase) {
      start(PHASES.indexOf(phase));
      phases[phase]();
      for (let arrived = 0; arrived < threads - 1; ) arrived = awaitChange(control, CONTROL.arrived, arrived);
      if (Atomics.load(control, CONTROL.failed) !== 0) throw new Error('another thread of the training failed');
    },
    dismiss: () => start(DISMISSED),
  };
}

/** Takes part in what the leading thread runs, until dismissed. */
export function follow(control: Int32Array, phases: Phases): void {
  const arrive = (): void => {
    Atomics.add(control, CONTROL.arrived, 1);
    Atomics.notify(control, CONTROL.arrived);
  };
  for (let round = 0; ; ) {
    round = awaitChange(control, CONTROL.round, round);
    const phase = PHASES[Atomics.load(control, CONTROL.phase)];
    if (phase === undefined) return;
    try {
      phases[phase]();
    } catch (error) {
      Atomics.store(control, CONTROL.failed, 1);
      arrive();
      throw error;
    }
    arrive();
  }
}

/** Waits until a number of the control block is not `known` any more, and returns it. */
function awaitChange(control: Int32Array, place: number, known: number): number {
  for (let look = 0; look < LOOKS; look++) {
    const value = Atomics.load(control, place);
    if (value !== known) return value;
  }
  Atomics.wait(control, place, known);
  return Atomics.load(control, place);
}
