import type { Lifecycle, Status } from './status.ts';

/** From the liveliest to the least: of two records of one customer the livelier one tells the truth. */
const LIVELINESS: readonly Status[] = ['ACTIVE', 'TRIAL', 'PAUSED', 'CHURNED'];

export interface MergeSide extends Lifecycle {
  readonly businessSegment: string | null;
  readonly ownerId: string | null;
  readonly signupAt: Date;
  readonly traits: Readonly<Record<string, unknown>>;
  readonly lastActivityAt: Date | null;
  readonly firstOrderAt: Date | null;
}

const latest = (a: Date | null, b: Date | null): Date | null => (a === null || (b !== null && b > a) ? b : a);
const earliest = (a: Date | null, b: Date | null): Date | null => (a === null || (b !== null && b < a) ? b : a);

/** What becomes of the customer that lives on: what it says itself holds, the other one fills the gaps. */
export function mergeSides(from: MergeSide, into: MergeSide): MergeSide {
  const livelier = LIVELINESS.indexOf(from.status) < LIVELINESS.indexOf(into.status) ? from : into;
  return {
    status: livelier.status,
    churnedAt: livelier.churnedAt,
    churnReason: livelier.churnReason,
    businessSegment: into.businessSegment ?? from.businessSegment,
    ownerId: into.ownerId ?? from.ownerId,
    signupAt: earliest(into.signupAt, from.signupAt) as Date,
    traits: { ...from.traits, ...into.traits },
    lastActivityAt: latest(from.lastActivityAt, into.lastActivityAt),
    firstOrderAt: earliest(from.firstOrderAt, into.firstOrderAt),
  };
}
