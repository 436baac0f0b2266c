/** A stretch of activity: times in Unix milliseconds, `from` ≤ `to`. A day of many events is one stretch. */
export interface ActivitySpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A subscription's life, half-open; `toMs` is null while it runs. */
export interface SubscriptionSpan {
  readonly fromMs: number;
  readonly toMs: number | null;
}

export type ChangeKind = 'NEW' | 'CHURNED' | 'REACTIVATED';
export type ChurnCause = 'INACTIVITY' | 'CANCELLATION' | 'OPERATOR';

/** A coming or a going. */
export interface LifecycleChange {
  readonly atMs: number;
  readonly kind: ChangeKind;
  /** Of a going. */
  readonly cause: ChurnCause | null;
}

export interface LifecycleFacts {
  /** In order of time. */
  readonly activity: readonly ActivitySpan[];
  readonly subscriptions: readonly SubscriptionSpan[];
  /** When an operator declared the customer lost, and that still stands; else null. */
  readonly declaredChurnedAtMs: number | null;
}

export interface Lifecycle {
  readonly changes: readonly LifecycleChange[];
  /** When the customer counts as gone if nothing happens; null while a subscription runs or the customer is gone. */
  readonly dueAtMs: number | null;
}

interface Presence {
  readonly fromMs: number;
  readonly toMs: number;
  readonly cause: ChurnCause;
}

/**
 * Derives comings and goings from facts: who ever had a subscription is here while one runs; who had none is here from
 * an activity until `inactiveAfterMs` without another. What lies after `nowMs` has not happened.
 */
export function deriveLifecycle(facts: LifecycleFacts, inactiveAfterMs: number, nowMs: number): Lifecycle {
  const presences =
    facts.subscriptions.length > 0
      ? facts.subscriptions.map(
          ({ fromMs, toMs }): Presence => ({ fromMs, toMs: toMs ?? Number.POSITIVE_INFINITY, cause: 'CANCELLATION' }),
        )
      : facts.activity.map(
          ({ fromMs, toMs }): Presence => ({ fromMs, toMs: toMs + inactiveAfterMs, cause: 'INACTIVITY' }),
        );
  const declared = facts.declaredChurnedAtMs;
  const bounded = presences.flatMap((presence): Presence[] => {
    if (presence.fromMs > nowMs || (declared !== null && presence.fromMs >= declared)) return [];
    return declared !== null && presence.toMs > declared
      ? [{ ...presence, toMs: declared, cause: 'OPERATOR' }]
      : [presence];
  });
  const merged = mergePresences(bounded);
  const changes: LifecycleChange[] = [];
  for (const [index, { fromMs, toMs, cause }] of merged.entries()) {
    changes.push({ atMs: fromMs, kind: index === 0 ? 'NEW' : 'REACTIVATED', cause: null });
    if (toMs <= nowMs) changes.push({ atMs: toMs, kind: 'CHURNED', cause });
  }
  const last = merged.at(-1);
  const dueAtMs = last === undefined || last.toMs <= nowMs || last.toMs === Number.POSITIVE_INFINITY ? null : last.toMs;
  return { changes, dueAtMs };
}

/** Presences that touch or overlap are one; its end has the cause of the one that lasted longest. */
function mergePresences(presences: readonly Presence[]): Presence[] {
  const merged: Presence[] = [];
  for (const presence of [...presences].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last === undefined || presence.fromMs > last.toMs) merged.push(presence);
    else if (presence.toMs > last.toMs) merged[merged.length - 1] = { ...presence, fromMs: last.fromMs };
  }
  return merged;
}
