import type { ModelMetrics, ModelState } from './model.ts';

/** Where a model stands, and why, in words. */
export interface Verdict {
  readonly state: ModelState;
  readonly reason: string;
}

const shown = (value: number): string => value.toFixed(4);

/**
 * What becomes of a model that was just trained, by what it reached on the newest window, which none of the compared learnt from:
 * it has to rank better than the recency-only baseline beyond doubt, and better than the live model on the same rows.
 */
export function judge({ rocAuc, baseline, live }: Pick<ModelMetrics, 'rocAuc' | 'baseline' | 'live'>): Verdict {
  const interval = baseline.aucDifference;
  if (rocAuc === null || interval === null) {
    return { state: 'REFUSED', reason: 'On the test window it cannot be told apart from the recency-only baseline.' };
  }
  const { estimate, low, high, level } = interval;
  const margin = `AUC ${shown(rocAuc)}, ${shown(estimate)} above the recency-only baseline (${Math.round(level * 100)} % interval ${shown(low)} to ${shown(high)})`;
  if (!(low > 0)) return { state: 'REFUSED', reason: `${margin}: the lower end is not above 0.` };
  if (live === null) return { state: 'LIVE', reason: `${margin}; no live model to beat.` };
  if (live.rocAuc !== null && rocAuc <= live.rocAuc) {
    return { state: 'CANDIDATE', reason: `${margin}; the live model reaches ${shown(live.rocAuc)} on the same rows.` };
  }
  return {
    state: 'LIVE',
    reason: `${margin}; the live model reached ${live.rocAuc === null ? 'none' : shown(live.rocAuc)} on the same rows.`,
  };
}

/** A model as far as going back is concerned. */
export interface Standing {
  readonly id: string;
  readonly state: ModelState;
  /** When it last went live; null when it never did. */
  readonly wentLiveAt: Date | null;
}

/**
 * To which model to go back: the one asked for, or the one that was live last before the live one.
 * @returns null when there is none that may serve: a refused one may not, nor the one that is live
 */
export function rollBackTarget<Model extends Standing>(models: readonly Model[], askedId: string | null): Model | null {
  if (askedId !== null) {
    return models.find(({ id, state }) => id === askedId && (state === 'RETIRED' || state === 'CANDIDATE')) ?? null;
  }
  const before = models.filter(({ state, wentLiveAt }) => state === 'RETIRED' && wentLiveAt !== null);
  return before.sort((a, b) => Number(b.wentLiveAt) - Number(a.wentLiveAt) || (a.id < b.id ? 1 : -1))[0] ?? null;
}
