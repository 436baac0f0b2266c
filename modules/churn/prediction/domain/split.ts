/** Something with an instant, in Unix milliseconds. */
interface AtInstant {
  readonly atMs: number;
}

/** Snapshots to learn from, to calibrate on, and to evaluate on; each list ascending, the windows one after another. */
export interface TimeSplit<Snapshot> {
  readonly training: readonly Snapshot[];
  readonly calibration: Snapshot;
  readonly test: Snapshot;
}

/**
 * Splits snapshots by time, never at random. A snapshot is labelled once the whole horizon behind it has passed. The newest labelled one is
 * for evaluation; what is fitted uses only labels that were known when the next window began: the horizon of each calibration snapshot ends
 * before the test snapshot, and that of each training snapshot before the calibration snapshot.
 * @param trainingMax training snapshots kept, the newest ones
 * @returns null while history is too short for three windows
 */
export function splitByTime<Snapshot extends AtInstant>(
  snapshots: readonly Snapshot[],
  horizonMs: number,
  nowMs: number,
  trainingMax: number,
): TimeSplit<Snapshot> | null {
  const known = (byMs: number) =>
    snapshots.filter(({ atMs }) => atMs + horizonMs <= byMs).sort((a, b) => a.atMs - b.atMs);
  const test = known(nowMs).at(-1);
  const calibration = test === undefined ? undefined : known(test.atMs).at(-1);
  if (test === undefined || calibration === undefined) return null;
  const training = known(calibration.atMs).slice(-trainingMax);
  return training.length === 0 ? null : { training, calibration, test };
}
