/** How far a customer has come. */
export type Status = 'TRIAL' | 'ACTIVE' | 'PAUSED' | 'CHURNED';

export interface Lifecycle {
  readonly status: Status;
  readonly churnedAt: Date | null;
  readonly churnReason: string | null;
}

/** What an upsert says of a customer's lifecycle; what it leaves out stays. */
export interface LifecycleSaid {
  readonly status?: Status | null | undefined;
  readonly churnedAt?: Date | null | undefined;
  readonly churnReason?: string | null | undefined;
}

/**
 * The lifecycle after an upsert. Only a churned customer has a churn date and a reason: who churns without a date churns
 * now, and who comes back loses both.
 * @returns the lifecycle, or the field that contradicts the status
 */
export function nextLifecycle(
  was: Lifecycle | null,
  said: LifecycleSaid,
  now: Date,
): Lifecycle | { readonly contradiction: 'churnedAt' | 'churnReason' } {
  const status = said.status ?? was?.status ?? 'ACTIVE';
  if (status !== 'CHURNED') {
    if (said.churnedAt instanceof Date) return { contradiction: 'churnedAt' };
    if (typeof said.churnReason === 'string') return { contradiction: 'churnReason' };
    return { status, churnedAt: null, churnReason: null };
  }
  return {
    status,
    churnedAt: said.churnedAt ?? was?.churnedAt ?? now,
    churnReason: said.churnReason !== undefined ? said.churnReason : (was?.churnReason ?? null),
  };
}

/** Traits after a patch: members given replace, null removes. */
export function mergeTraits(
  was: Readonly<Record<string, unknown>>,
  said: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...was };
  for (const [name, value] of Object.entries(said)) {
    if (value === null) delete merged[name];
    else merged[name] = value;
  }
  return merged;
}
