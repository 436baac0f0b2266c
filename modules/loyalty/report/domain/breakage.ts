import { normalQuantile } from '../../../../src/learning/special/index.ts';
import { type AgeCounts, kaplanMeier } from '../../../../src/learning/survival/index.ts';

/** Points by their age in days: redeemed at it, gone otherwise at it (lapsed, taken back), or still held at it. */
export interface PointsOfAge {
  readonly ageDays: number;
  readonly redeemed: number;
  readonly gone: number;
  readonly held: number;
}

/** Points that can be spent now. */
export interface OutstandingPoints {
  readonly ageDays: number;
  /** Age at which they lapse; null: never. */
  readonly lapsesAtDays: number | null;
  readonly points: number;
}

/** What a forecast rests on. */
export interface BreakageHistory {
  readonly ages: readonly PointsOfAge[];
  readonly outstanding: readonly OutstandingPoints[];
  /** Members who redeemed points. */
  readonly redeemers: number;
  /** Independent observations: points of one member are not. Kish's effective number of members. */
  readonly effectiveMembers: number;
}

export interface BreakageRules {
  /** With fewer members who redeemed, or days observed, nothing is forecast. */
  readonly minRedeemers: number;
  readonly minDays: number;
}

export interface Breakage {
  readonly state: 'ESTIMATED' | 'NOTHING_OUTSTANDING' | 'NOT_ENOUGH_HISTORY';
  /** Share of the points outstanding that is expected never to be redeemed, with a 95 % interval. */
  readonly share: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly outstanding: number;
  /** Largest age observed, in days: what was not redeemed until then is taken to stay so. */
  readonly horizonDays: number;
  readonly redeemers: number;
}

/** Of a two-sided 95 % interval. */
const Z_95 = normalQuantile(0.975);

/**
 * Breakage by survival: how long points stay unredeemed is estimated from all points by age (Kaplan-Meier; what lapsed,
 * was taken back or is still held counts as lost from sight), and what is outstanding at an age is expected never to be
 * redeemed with probability S(end) / S(age), where the end is the age at which it lapses, or the largest age observed.
 * The interval is Greenwood's, with as many observations as there are effective members, and the ages taken as moving
 * together: rather too wide than too narrow.
 */
export function forecastBreakage(history: BreakageHistory, rules: BreakageRules): Breakage {
  const { ages, outstanding, redeemers, effectiveMembers } = history;
  const counts = ages.map(
    ({ ageDays, redeemed, gone, held }): AgeCounts => ({
      age: ageDays,
      events: Math.max(0, redeemed),
      censored: Math.max(0, gone) + Math.max(0, held),
    }),
  );
  const survival = kaplanMeier(counts);
  const total = outstanding.reduce((sum, { points }) => sum + points, 0);
  const known = { outstanding: total, horizonDays: survival.horizon, redeemers };
  const unknown = { share: null, low: null, high: null, ...known };
  if (redeemers < rules.minRedeemers || survival.horizon < rules.minDays) {
    return { state: 'NOT_ENOUGH_HISTORY', ...unknown };
  }
  if (total === 0) return { state: 'NOTHING_OUTSTANDING', ...unknown };
  // Greenwood's sum takes each point for an observation; there are as many as effective members.
  const observed = counts.reduce((sum, { events, censored }) => sum + events + censored, 0);
  const inflation = observed / Math.max(1, effectiveMembers);
  let share = 0;
  let error = 0;
  for (const { ageDays, lapsesAtDays, points } of outstanding) {
    const end = Math.max(ageDays, Math.min(lapsesAtDays ?? survival.horizon, survival.horizon));
    const now = survival.at(ageDays);
    const kept = now === 0 ? 1 : survival.at(end) / now;
    const variance = survival.logVariance(ageDays, end) * inflation;
    share += (points / total) * kept;
    error += (points / total) * (kept === 0 ? 0 : kept * Math.sqrt(variance));
  }
  return {
    state: 'ESTIMATED',
    share,
    low: Math.max(0, share - Z_95 * error),
    high: Math.min(1, share + Z_95 * error),
    ...known,
  };
}

/** (Σ w)² / Σ w²: how many equal members would tell as much. Kish, L. (1965), Survey Sampling. */
export const effectiveNumber = (sum: number, sumOfSquares: number): number =>
  sumOfSquares === 0 ? 0 : (sum * sum) / sumOfSquares;
