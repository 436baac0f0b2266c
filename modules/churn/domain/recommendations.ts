export type RecommendationPriority = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW';

/** What a rule says when it matches. */
export interface Advice {
  /** Stable name of the rule. */
  readonly rule: string;
  readonly priority: RecommendationPriority;
  readonly title: string;
  readonly action: string;
  readonly expectedEffect: string;
  readonly timeline: string;
}

export interface RecommendationRules {
  /** In any order: the one with the highest threshold that the rate is above wins. */
  readonly churn: readonly (Advice & { readonly rateAbove: number })[];
  readonly health: readonly (Advice & { readonly meanBelow: number })[];
}

export interface Recommendation extends Advice {
  /** The figure that made the rule match: a rate from 0 to 1, or a mean score from 0 to 100. */
  readonly measured: number;
  readonly threshold: number;
}

/**
 * What to do by the rules: at most one for churn and one for health, the more urgent first. What is not known (null)
 * recommends nothing.
 */
export function recommend(
  rules: RecommendationRules,
  facts: { readonly monthlyChurn: number | null; readonly meanHealth: number | null },
): Recommendation[] {
  const found: Recommendation[] = [];
  const { monthlyChurn, meanHealth } = facts;
  if (monthlyChurn !== null) {
    const [highest] = rules.churn
      .filter(({ rateAbove }) => monthlyChurn > rateAbove)
      .toSorted((a, b) => b.rateAbove - a.rateAbove);
    if (highest !== undefined) {
      const { rateAbove, ...advice } = highest;
      found.push({ ...advice, measured: monthlyChurn, threshold: rateAbove });
    }
  }
  if (meanHealth !== null) {
    const [lowest] = rules.health
      .filter(({ meanBelow }) => meanHealth < meanBelow)
      .toSorted((a, b) => a.meanBelow - b.meanBelow);
    if (lowest !== undefined) {
      const { meanBelow, ...advice } = lowest;
      found.push({ ...advice, measured: meanHealth, threshold: meanBelow });
    }
  }
  return found;
}
