/** Where a redemption stands. The last three are for good. */
export const REDEMPTION_STATES = ['OPEN', 'FULFILLED', 'CANCELLED', 'EXPIRED'] as const;

export type RedemptionState = (typeof REDEMPTION_STATES)[number];

/** Where the points of a redemption are. */
export const POINTS_STATES = ['HELD', 'TAKEN', 'RETURNED'] as const;

export type PointsState = (typeof POINTS_STATES)[number];

/** What becomes of the points when a redemption expires. */
export const EXPIRY_RULES = ['RETURN', 'FORFEIT'] as const;

export type ExpiryRule = (typeof EXPIRY_RULES)[number];

/** What can happen to a redemption. */
export type RedemptionStep =
  | { readonly kind: 'fulfil' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'expire'; readonly points: ExpiryRule };

/** A redemption as its steps see it. */
export interface RedemptionStanding {
  readonly state: RedemptionState;
  /** First instant at which it can no longer be used; null: no end. */
  readonly expiresAt: Date | null;
}

/** What a step leads to: the state, where the points go, and whether the stock gets back what it gave. */
export interface Transition {
  readonly state: Exclude<RedemptionState, 'OPEN'>;
  readonly points: Exclude<PointsState, 'HELD'>;
  readonly stockReturns: boolean;
}

export type StepRefusal =
  | { readonly kind: 'notOpen'; readonly state: Exclude<RedemptionState, 'OPEN'> }
  /** Its time is over, though nobody has closed it yet: neither used nor given back any more. */
  | { readonly kind: 'timeIsOver' }
  /** It cannot expire yet. */
  | { readonly kind: 'timeIsNotOver' };

/**
 * The state machine of a redemption: OPEN, then FULFILLED, CANCELLED or EXPIRED, and nothing after that. It is open up to
 * and without `expiresAt`, by the clock and not by when a job gets to it.
 */
export function step(standing: RedemptionStanding, taken: RedemptionStep, at: Date): Transition | StepRefusal {
  if (standing.state !== 'OPEN') return { kind: 'notOpen', state: standing.state };
  const isOver = standing.expiresAt !== null && at >= standing.expiresAt;
  switch (taken.kind) {
    case 'fulfil':
      return isOver ? { kind: 'timeIsOver' } : { state: 'FULFILLED', points: 'TAKEN', stockReturns: false };
    case 'cancel':
      return isOver ? { kind: 'timeIsOver' } : { state: 'CANCELLED', points: 'RETURNED', stockReturns: true };
    case 'expire':
      // What was not handed out can be handed to somebody else, whatever becomes of the points.
      return isOver
        ? { state: 'EXPIRED', points: taken.points === 'RETURN' ? 'RETURNED' : 'TAKEN', stockReturns: true }
        : { kind: 'timeIsNotOver' };
  }
}
