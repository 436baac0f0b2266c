/** A state of a subscription, from `atMs` until its next one. Amounts in minor units of `currency`. */
export interface SubscriptionState {
  readonly subscriptionId: string;
  readonly atMs: number;
  readonly running: boolean;
  readonly mrrMinor: number;
  readonly currency: string;
  readonly cancelReason: string | null;
}

/** A subscription's life, half-open; `toMs` is null while it runs. */
export interface SubscriptionSpan {
  readonly fromMs: number;
  readonly toMs: number | null;
  /** Why it ended, as told. */
  readonly reason: string | null;
}

/**
 * Changes within an hour of the first one are one (PRODUCT, definitions): a plan that is changed by cancelling one
 * subscription and starting another is neither a loss nor a gain.
 */
export const MOVEMENT_WINDOW_MS = 3_600_000;

/** When each subscription ran, its restarts apart. @param states of one customer; each subscription's in order of time */
export function runningSpans(states: readonly SubscriptionState[]): SubscriptionSpan[] {
  const spans: SubscriptionSpan[] = [];
  const begun = new Map<string, number>();
  for (const { subscriptionId, atMs, running, cancelReason } of states) {
    const fromMs = begun.get(subscriptionId);
    if (running && fromMs === undefined) begun.set(subscriptionId, atMs);
    else if (!running && fromMs !== undefined) {
      begun.delete(subscriptionId);
      spans.push({ fromMs, toMs: atMs, reason: cancelReason });
    }
  }
  return [...spans, ...[...begun.values()].map((fromMs) => ({ fromMs, toMs: null, reason: null }))];
}
