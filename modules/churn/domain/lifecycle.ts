import { MOVEMENT_WINDOW_MS, type SubscriptionSpan } from './subscriptions.ts';

/** A stretch of activity: times in Unix milliseconds, `from` ≤ `to`. A day of many events is one stretch. */
export interface ActivitySpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export type ChangeKind = 'NEW' | 'CHURNED' | 'REACTIVATED';
export type ChurnCause = 'INACTIVITY' | 'CANCELLATION' | 'OPERATOR';

/** A coming or a going. */
export interface LifecycleChange {
  readonly atMs: number;
  readonly kind: ChangeKind;
  /** Of a going. */
  readonly cause: ChurnCause | null;
  /** Of a going: why, as told; null when nobody said. */
  readonly reason: string | null;
}

export interface LifecycleFacts {
  /** In order of time. */
  readonly activity: readonly ActivitySpan[];
  readonly subscriptions: readonly SubscriptionSpan[];
  /** When an operator declared the customer lost, and that still stands; else null. */
  readonly declaredChurnedAtMs: number | null;
  /** Why the operator says the customer left: holds for the last going. */
  readonly declaredReason: string | null;
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
  readonly reason: string | null;
}

/** A subscription that follows another within the hour continues it, as MRR movements within an hour are one. */
const BRIDGE_MS = MOVEMENT_WINDOW_MS - 1;

/**
 * Derives comings and goings from facts: who ever had a subscription is here while one runs; who had none is here from
 * an activity until `inactiveAfterMs` without another. What lies after `nowMs` has not happened.
 */
export function deriveLifecycle(facts: LifecycleFacts, inactiveAfterMs: number, nowMs: number): Lifecycle {
  const presences =
    facts.subscriptions.length > 0
      ? facts.subscriptions.map(({ fromMs, toMs, reason }): Presence => {
          return { fromMs, toMs: toMs ?? Number.POSITIVE_INFINITY, cause: 'CANCELLATION', reason };
        })
      : facts.activity.map(({ fromMs, toMs }): Presence => {
          return { fromMs, toMs: toMs + inactiveAfterMs, cause: 'INACTIVITY', reason: null };
        });
  const declared = facts.declaredChurnedAtMs;
  const bounded = presences.flatMap((presence): Presence[] => {
    // What ended as it began was never here.
    if (presence.toMs <= presence.fromMs) return [];
    if (presence.fromMs > nowMs || (declared !== null && presence.fromMs >= declared)) return [];
    return declared !== null && presence.toMs > declared
      ? [{ ...presence, toMs: declared, cause: 'OPERATOR', reason: null }]
      : [presence];
  });
  const merged = mergePresences(bounded);
  const changes: LifecycleChange[] = [];
  for (const [index, { fromMs, toMs, cause, reason }] of merged.entries()) {
    changes.push({ atMs: fromMs, kind: index === 0 ? 'NEW' : 'REACTIVATED', cause: null, reason: null });
    if (toMs > nowMs) continue;
    const declaredReason = index === merged.length - 1 ? facts.declaredReason : null;
    changes.push({ atMs: toMs, kind: 'CHURNED', cause, reason: reason ?? declaredReason });
  }
  const last = merged.at(-1);
  const dueAtMs = last === undefined || last.toMs <= nowMs || last.toMs === Number.POSITIVE_INFINITY ? null : last.toMs;
  return { changes, dueAtMs };
}

/** Presences that touch, overlap or follow at once are one; its end has the cause of the one that lasted longest. */
function mergePresences(presences: readonly Presence[]): Presence[] {
  const merged: Presence[] = [];
  for (const presence of [...presences].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    const bridgeMs = last?.cause === 'CANCELLATION' ? BRIDGE_MS : 0;
    if (last === undefined || presence.fromMs > last.toMs + bridgeMs) merged.push(presence);
    else if (presence.toMs > last.toMs) merged[merged.length - 1] = { ...presence, fromMs: last.fromMs };
  }
  return merged;
}
