import type { RfmSegment, Score } from './rfm.ts';

/** The standing pieces of advice, each a rule with settings. */
export const ADVICE_KINDS = ['PREMIUM_BUNDLES', 'WIN_BACK', 'COHORT_RETENTION_FELL'] as const;
export type AdviceKind = (typeof ADVICE_KINDS)[number];
/** Those that are given for single customers. */
export type CustomerAdviceKind = Exclude<AdviceKind, 'COHORT_RETENTION_FELL'>;

/** The rules as an operator may change them. */
export interface AdviceRules {
  /** Loyal customers with modest spend. */
  readonly premiumBundles: { readonly enabled: boolean; readonly monetaryScoreMax: number };
  /** Customers at risk without a login for some time. */
  readonly winBack: { readonly enabled: boolean; readonly daysWithoutLogin: number; readonly discountPercent: number };
  /** Cohorts whose retention at an age fell below that of the cohort before. */
  readonly cohortRetention: { readonly enabled: boolean; readonly month: number };
}

export const ADVICE_RULES: AdviceRules = {
  premiumBundles: { enabled: true, monetaryScoreMax: 3 },
  winBack: { enabled: true, daysWithoutLogin: 30, discountPercent: 20 },
  cohortRetention: { enabled: true, month: 3 },
};

export interface AdvisedCustomer {
  readonly segment: RfmSegment;
  readonly monetaryScore: Score;
  /** Days since the last login; since the last activity of any kind where logins are not recorded. */
  readonly daysWithoutLogin: number;
}

/** What is advised for a customer. */
export function adviceFor(customer: AdvisedCustomer, rules: AdviceRules): CustomerAdviceKind[] {
  const { premiumBundles, winBack } = rules;
  const advice: CustomerAdviceKind[] = [];
  if (
    premiumBundles.enabled &&
    customer.segment === 'LOYAL' &&
    customer.monetaryScore <= premiumBundles.monetaryScoreMax
  )
    advice.push('PREMIUM_BUNDLES');
  if (winBack.enabled && customer.segment === 'AT_RISK' && customer.daysWithoutLogin >= winBack.daysWithoutLogin)
    advice.push('WIN_BACK');
  return advice;
}

/** How many of a cohort came back in the month of the rule. */
export interface CohortAtAge {
  /** First day of the month in which its customers ordered first. */
  readonly cohort: string;
  readonly customers: number;
  readonly retained: number;
  /** First day of the month it was looked at in. */
  readonly observed: string;
}

/** A cohort that did worse than the one before it. */
export interface CohortFall extends CohortAtAge {
  readonly previousCohort: string;
  readonly retention: number;
  readonly previousRetention: number;
}

/**
 * Cohorts whose retention lies below that of the cohort of the month before, the newest first.
 * @param cohorts ascending, each with its month wholly in the past
 */
export function retentionFalls(cohorts: readonly CohortAtAge[]): CohortFall[] {
  const falls: CohortFall[] = [];
  for (const [at, cohort] of cohorts.entries()) {
    const previous = cohorts[at - 1];
    if (previous === undefined || previous.customers === 0 || cohort.customers === 0) continue;
    // Compared as whole numbers, so that equal shares are equal.
    if (cohort.retained * previous.customers >= previous.retained * cohort.customers) continue;
    falls.push({
      ...cohort,
      previousCohort: previous.cohort,
      retention: cohort.retained / cohort.customers,
      previousRetention: previous.retained / previous.customers,
    });
  }
  return falls.reverse();
}
