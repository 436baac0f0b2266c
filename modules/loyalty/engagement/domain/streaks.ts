/** Active periods in a row, e.g. days 19000 to 19004: first and last belong to it. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

/** What a streak comes to. */
export interface StreakState {
  /** Stretches of active periods, ascending, never touching. */
  readonly runs: readonly Run[];
  /** Active periods of the latest streak; periods that were forgiven do not count. */
  readonly length: number;
  readonly longest: number;
  /** The last active period. */
  readonly lastPeriod: number;
}

/** A period that became active, and what the streak it belongs to came to by it. */
export interface StreakStep {
  readonly period: number;
  /** Longest of the streaks it continued or joined; 0 when it began one. */
  readonly before: number;
  readonly after: number;
}

/** How many periods are remembered: what happened before is too late to mend a streak. */
export const REMEMBERED_PERIODS = 400;

/**
 * Makes periods active, in whatever order they come; one that is active already, or too old to be remembered, changes
 * nothing.
 * @param forgiven missed periods in a row that do not break the streak
 */
export function extendStreak(
  state: StreakState | null,
  periods: readonly number[],
  forgiven: number,
): { readonly state: StreakState | null; readonly steps: readonly StreakStep[] } {
  const steps: StreakStep[] = [];
  let runs = state?.runs ?? [];
  let longest = state?.longest ?? 0;
  for (const period of periods) {
    const latest = runs.at(-1)?.to ?? period;
    const isActive = runs.some((run) => run.from <= period && period <= run.to);
    if (isActive || period <= latest - REMEMBERED_PERIODS) continue;
    const beside = besides(runs, period, forgiven);
    const after = beside.earlier + beside.later + 1;
    const before = beside.joined ? beside.earlier + beside.later : Math.max(beside.earlier, beside.later);
    steps.push({ period, before, after });
    longest = Math.max(longest, after);
    runs = withPeriod(runs, period);
  }
  const last = runs.at(-1);
  if (last === undefined) return { state, steps };
  // The latest streak is remembered whole, so that it never seems shorter than it is.
  const latest = streakEndingWith(runs, forgiven);
  const begin = Math.min((latest.at(-1) as Run).from, last.to - REMEMBERED_PERIODS + 1);
  const remembered = runs.filter((run) => run.to >= begin);
  return { state: { runs: remembered, length: lengthOf(latest), longest, lastPeriod: last.to }, steps };
}

/** First period in which a streak counts as broken when nothing happens until then. */
export const brokenFrom = (lastPeriod: number, forgiven: number): number => lastPeriod + forgiven + 2;

const lengthOf = (runs: readonly Run[]): number => runs.reduce((sum, run) => sum + run.to - run.from + 1, 0);

/** The stretches of the latest streak. */
function streakEndingWith(runs: readonly Run[], forgiven: number): Run[] {
  const streak: Run[] = [];
  for (const run of runs.toReversed()) {
    const next = streak.at(-1);
    if (next !== undefined && next.from - run.to - 1 > forgiven) break;
    streak.push(run);
  }
  return streak;
}

/** The streaks that a period continues: lengths of the one before it and the one behind it, and whether they were one. */
function besides(runs: readonly Run[], period: number, forgiven: number) {
  const before = runs.filter((run) => run.to < period);
  // Mirrored, what lies behind is before.
  const behind = runs.flatMap(({ from, to }) => (from > period ? [{ from: -to, to: -from }] : [])).toReversed();
  const previous = before.at(-1)?.to ?? Number.NEGATIVE_INFINITY;
  const next = -(behind.at(-1)?.to ?? Number.NEGATIVE_INFINITY);
  const reaches = (gap: number) => gap - 1 <= forgiven;
  return {
    earlier: reaches(period - previous) ? lengthOf(streakEndingWith(before, forgiven)) : 0,
    later: reaches(next - period) ? lengthOf(streakEndingWith(behind, forgiven)) : 0,
    joined: reaches(next - previous),
  };
}

function withPeriod(runs: readonly Run[], period: number): Run[] {
  const merged: Run[] = [];
  for (const run of [...runs, { from: period, to: period }].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && last.to + 1 >= run.from) merged[merged.length - 1] = { from: last.from, to: run.to };
    else merged.push(run);
  }
  return merged;
}
