/** How many units met the event, or were lost from sight, at an age. */
export interface AgeCounts {
  /** In any unit of time, at least 0. */
  readonly age: number;
  readonly events: number;
  /** Lost from sight at this age, behind its events. */
  readonly censored: number;
}

/** A survival curve: a step function of age that falls from 1. */
export interface Survival {
  /** Largest age at which anything was observed; 0 when nothing was. */
  readonly horizon: number;
  /** Share of the units that live longer than an age. */
  at(age: number): number;
  /**
   * Variance of the logarithm of at(to) / at(from) (Greenwood's sum over the ages between), when each unit counted is one
   * independent observation; infinite when nothing lives on.
   */
  logVariance(from: number, to: number): number;
}

/**
 * The product-limit estimate of survival. Kaplan, E. L. and Meier, P. (1958), Nonparametric Estimation from Incomplete
 * Observations, JASA 53, 457-481; variance by Greenwood, M. (1926).
 * @param counts in any order, ages may repeat; counts need not be whole
 * @throws RangeError when an age or a count is negative or no number
 */
export function kaplanMeier(counts: readonly AgeCounts[]): Survival {
  for (const { age, events, censored } of counts) {
    if (!(age >= 0 && events >= 0 && censored >= 0)) {
      throw new RangeError('ages and counts of a survival curve are at least 0');
    }
  }
  const byAge = [...Map.groupBy(counts, ({ age }) => age)]
    .map(([age, own]) => ({
      age,
      events: own.reduce((sum, one) => sum + one.events, 0),
      censored: own.reduce((sum, one) => sum + one.censored, 0),
    }))
    .filter(({ events, censored }) => events + censored > 0)
    .sort((a, b) => a.age - b.age);
  let atRisk = byAge.reduce((sum, { events, censored }) => sum + events + censored, 0);
  let survival = 1;
  let greenwood = 0;
  const steps: { age: number; survival: number; greenwood: number }[] = [];
  for (const { age, events, censored } of byAge) {
    if (events > 0) {
      const left = atRisk - events;
      survival *= left / atRisk;
      greenwood += left > 0 ? events / (atRisk * left) : Number.POSITIVE_INFINITY;
      steps.push({ age, survival, greenwood });
    }
    atRisk -= events + censored;
  }
  /** The last step at or before an age. */
  const stepAt = (age: number) => {
    let low = 0;
    let high = steps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((steps[middle] as { age: number }).age <= age) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? { survival: 1, greenwood: 0 } : (steps[low - 1] as { survival: number; greenwood: number });
  };
  return {
    horizon: byAge.at(-1)?.age ?? 0,
    at: (age) => stepAt(age).survival,
    logVariance(from, to) {
      const [first, last] = [stepAt(from).greenwood, stepAt(to).greenwood];
      return first === last ? 0 : last - first;
    },
  };
}
