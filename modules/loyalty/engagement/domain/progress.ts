/** Values of events are decimals with six places; sums of them are kept in millionths, which are whole numbers. */
const PLACES = 6;
export const MICROS = 10 ** PLACES;

/** The largest goal of a challenge: in millionths still exact. */
export const GOAL_MAX = 1_000_000_000;

const DECIMAL = /^(-?)(\d{1,9})(?:\.(\d+))?$/;

/** A decimal text in millionths, what is behind the sixth place cut off; null when it is none or beyond the largest goal. */
export function microsOf(text: string): number | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const micros = Number(match[2]) * MICROS + Number((match[3] ?? '').slice(0, PLACES).padEnd(PLACES, '0'));
  return match[1] === '-' ? -micros : micros;
}

/** The other way: decimal text of millionths, not negative. */
export const decimalOf = (micros: number): string =>
  `${Math.floor(micros / MICROS)}.${String(micros % MICROS).padStart(PLACES, '0')}`;

/** What a challenge asks for. */
export interface ChallengeTerms {
  readonly event: string;
  readonly measure: 'COUNT' | 'VALUE';
  readonly goal: number;
  /** Half-open window of time. */
  readonly from: string;
  readonly until: string;
}

/** What counts towards it. */
export interface ChallengeFact {
  readonly name: string;
  readonly at: Date;
  /** In millionths. */
  readonly micros: number | null;
}

/** What a fact adds to a challenge, in millionths; 0 when it does not count. */
export function contribution(terms: ChallengeTerms, fact: ChallengeFact): number {
  const atMs = fact.at.getTime();
  if (fact.name !== terms.event || atMs < Date.parse(terms.from) || atMs >= Date.parse(terms.until)) return 0;
  return terms.measure === 'COUNT' ? MICROS : Math.max(fact.micros ?? 0, 0);
}

/** Progress in millionths, never beyond the goal, and whether the goal was reached just now. */
export function advance(
  terms: ChallengeTerms,
  before: number,
  added: number,
): { readonly progress: number; readonly completed: boolean } {
  const goal = terms.goal * MICROS;
  const progress = Math.min(goal, before + added);
  return { progress, completed: before < goal && progress >= goal };
}

/** The thresholds that a count passed on its way; what lay behind it already is not passed again. */
export const crossed = <T extends { readonly threshold: number }>(
  milestones: readonly T[],
  before: number,
  after: number,
): T[] => milestones.filter(({ threshold }) => before < threshold && threshold <= after);
