import type { Segment } from './business.ts';
import { DAY_MS, HOUR_MS, type Stretch } from './calendar.ts';
import type { Life } from './life.ts';
import type { Random } from './random.ts';

export type Priority = 'LOW' | 'NORMAL' | 'HIGH' | 'URGENT';

export interface Ticket {
  readonly priority: Priority;
  readonly openedAtMs: number;
  readonly firstResponseAtMs: number | null;
  readonly solvedAtMs: number | null;
  readonly rating: number | null;
}

/** Median hours to the first answer and from there to the solution. */
const PACE: Readonly<Record<Priority, readonly [number, number]>> = {
  LOW: [20, 60],
  NORMAL: [8, 30],
  HIGH: [3, 14],
  URGENT: [0.7, 6],
};
const RATED = 0.55;

/** Requests for help: more of those who are new, discontented or on their way out. */
export function ticketsOf(random: Random, stretch: Stretch, life: Life, segment: Segment): Ticket[] {
  const perDay = segment.ticketsPerMonth / 30;
  return life.days.flatMap(({ mood, use, strain }, age): Ticket[] => {
    if (use < 0.03 || age === 0) return [];
    const trouble = 1 + 2.2 * Math.min(strain, 1 - strain) + (age < 45 ? 0.8 : 0);
    if (!random.chance(perDay * Math.exp(-0.35 * mood) * trouble)) return [];
    const openedAtMs =
      stretch.fromMs + (life.signupDay + age) * DAY_MS + Math.floor(random.between(7 * HOUR_MS, 19 * HOUR_MS));
    const priority = random.weighted<Priority>([
      ['LOW', 0.25],
      ['NORMAL', 0.5],
      ['HIGH', 0.18 + 0.1 * strain],
      ['URGENT', 0.05 + 0.06 * strain],
    ]);
    const [answer, solution] = PACE[priority];
    const answerHours = answer * Math.exp(random.normal(0, 0.8));
    const solutionHours = solution * Math.exp(random.normal(0, 0.9));
    const first = openedAtMs + Math.floor(answerHours * HOUR_MS);
    const solved = first + Math.floor(solutionHours * HOUR_MS);
    const slowness = 0.25 * Math.log(answerHours / answer) + 0.25 * Math.log(solutionHours / solution);
    const rating = Math.round(4.1 + 0.6 * mood - 0.6 * strain - slowness + random.normal(0, 0.6));
    const isRated = random.chance(RATED);
    const happened = (atMs: number): number | null => (atMs < stretch.toMs ? atMs : null);
    return [
      {
        priority,
        openedAtMs,
        firstResponseAtMs: happened(first),
        solvedAtMs: happened(solved),
        rating: isRated && happened(solved) !== null ? Math.min(5, Math.max(1, rating)) : null,
      },
    ];
  });
}
