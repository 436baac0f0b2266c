import type { PlannedAction } from './actions.ts';
import type { AllocationProblem } from './problem.ts';

/** Where the probability of a customer to leave comes from. */
export type ProbabilitySource = 'PREDICTED' | 'ASSUMED';

/** A customer who could get an action. */
export interface Candidate {
  readonly customerId: string;
  /** Expected value after gross margin, in minor units. */
  readonly valueMinor: number;
  readonly probability: number;
  readonly source: ProbabilitySource;
}

/** Who was looked at, and who was left out, each for the first reason that holds. */
export interface Population {
  /** Customers of whom a value is expected. */
  readonly valued: number;
  /** They have left already. */
  readonly gone: number;
  /** A campaign that still runs has them. */
  readonly inCampaign: number;
  /** There is neither a prediction nor an assumption. */
  readonly withoutProbability: number;
  /** No action is expected to save more than it costs. */
  readonly notWorthwhile: number;
  readonly predicted: number;
  readonly assumed: number;
}

/** What is known of the customers of whom a value is expected. */
export interface Facts {
  readonly values: readonly { readonly customerId: string; readonly valueMinor: number }[];
  readonly gone: ReadonlySet<string>;
  readonly inCampaign: ReadonlySet<string>;
  readonly predictions: ReadonlyMap<string, number>;
  /** For customers without a prediction; null: they are left out. */
  readonly assumedProbability: number | null;
  readonly grossMargin: number;
}

/** What an action is expected to save of a customer, less its cost: probability to leave × save rate × value − cost, rounded once. */
export const expectedSavedMinor = (
  { probability, valueMinor }: Pick<Candidate, 'probability' | 'valueMinor'>,
  { saveRate, costMinor }: PlannedAction,
): number => Math.round(probability * saveRate * valueMinor) - costMinor;

/** Splits customers into those who could get an action and those left out. */
export function candidatesOf(
  facts: Facts,
  actions: readonly PlannedAction[],
): { candidates: Candidate[]; population: Population } {
  const candidates: Candidate[] = [];
  const counts = { gone: 0, inCampaign: 0, withoutProbability: 0, notWorthwhile: 0, predicted: 0, assumed: 0 };
  for (const { customerId, valueMinor } of facts.values) {
    const predicted = facts.predictions.get(customerId);
    const probability = predicted ?? facts.assumedProbability;
    if (facts.gone.has(customerId)) counts.gone++;
    else if (facts.inCampaign.has(customerId)) counts.inCampaign++;
    else if (probability === null) counts.withoutProbability++;
    else {
      const candidate: Candidate = {
        customerId,
        valueMinor: Math.round(valueMinor * facts.grossMargin),
        probability,
        source: predicted === undefined ? 'ASSUMED' : 'PREDICTED',
      };
      if (!actions.some((action) => expectedSavedMinor(candidate, action) > 0)) counts.notWorthwhile++;
      else {
        candidates.push(candidate);
        if (predicted === undefined) counts.assumed++;
        else counts.predicted++;
      }
    }
  }
  return { candidates, population: { valued: facts.values.length, ...counts } };
}

/** The candidates as the problem of picking. */
export function problemOf(
  candidates: readonly Candidate[],
  actions: readonly PlannedAction[],
  budgetMinor: number,
): AllocationProblem {
  const gains = new Float64Array(candidates.length * actions.length);
  let at = 0;
  for (const candidate of candidates) {
    for (const action of actions) gains[at++] = expectedSavedMinor(candidate, action);
  }
  return {
    customers: candidates.length,
    costs: actions.map(({ costMinor }) => costMinor),
    capacities: actions.map(({ capacity }) => capacity),
    budgetMinor,
    gains,
  };
}
