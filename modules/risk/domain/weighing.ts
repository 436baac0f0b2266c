/** One weighed thing a score is made of; `value` is null while nothing is known of it. */
export interface Component<Name extends string = string> {
  readonly name: Name;
  readonly weight: number;
  /** 0 to 1. */
  readonly value: number | null;
  /** What it was reckoned from, for people: counts, days, amounts. */
  readonly evidence: string;
}

/** A score with what it covers. */
export interface Weighed {
  /** 0 to 100; null when no component is known. */
  readonly score: number | null;
  /** Share of the weights that was known, 0 to 1. */
  readonly coverage: number;
}

export const clamp01 = (value: number): number => Math.min(1, Math.max(0, value));

/** Components not known are left out and the rest re-weighed; the score carries its coverage. Rounded to 0.01. */
export function weigh(components: readonly Component[]): Weighed {
  let known = 0;
  let total = 0;
  let sum = 0;
  for (const { weight, value } of components) {
    total += weight;
    if (value === null) continue;
    known += weight;
    sum += weight * clamp01(value);
  }
  if (known === 0) return { score: null, coverage: 0 };
  return { score: Math.round((sum / known) * 10_000) / 100, coverage: Math.round((known / total) * 100) / 100 };
}
