import { type Interval, proportionDifferenceInterval } from '../../../../src/learning/special/index.ts';

/** Customers of one action on one side of the comparison, at the end of the horizon. */
export interface ArmCount {
  readonly action: string;
  readonly heldOut: boolean;
  readonly customers: number;
  readonly retained: number;
  /** What these customers were worth when the plan was made. */
  readonly valueMinor: number;
  /** What their actions cost; 0 of those held out. */
  readonly costMinor: number;
}

/** Why there is no lift. */
export type NoLift = 'NOT_CONFIRMED' | 'CANCELLED' | 'HORIZON_NOT_OVER' | 'NO_HOLDOUT' | 'TOO_FEW';

interface Sides {
  readonly treated: number;
  readonly treatedRetained: number;
  readonly heldOut: number;
  readonly heldOutRetained: number;
}

/** The measured effect of a campaign or of one action, or why there is none. */
export type Lift = Sides & {
  /** Retained share of the treated less that of those held out. */
  readonly difference: Interval | null;
  /** The difference as a share of those held out who left: what the assumed save rate should have been; null when none left. */
  readonly saveRate: number | null;
  /** Difference × value of the treated, less what was spent; null without a difference. */
  readonly savedMinor: Interval | null;
  readonly missing: NoLift | null;
};

/** Nothing measured, and why. */
export const noLift = (missing: NoLift): Lift => ({
  treated: 0,
  treatedRetained: 0,
  heldOut: 0,
  heldOutRetained: 0,
  difference: null,
  saveRate: null,
  savedMinor: null,
  missing,
});

/**
 * Compares who was treated with who was held out: the difference of the retained shares with Newcombe's interval.
 * @param minimum customers each side must have
 * @param level share of such intervals that hold the truth
 */
export function measureLift(arms: readonly ArmCount[], { minimum, level }: { minimum: number; level: number }): Lift {
  const sum = (heldOut: boolean, of: (arm: ArmCount) => number) =>
    arms.reduce((total, arm) => (arm.heldOut === heldOut ? total + of(arm) : total), 0);
  const sides: Sides = {
    treated: sum(false, (arm) => arm.customers),
    treatedRetained: sum(false, (arm) => arm.retained),
    heldOut: sum(true, (arm) => arm.customers),
    heldOutRetained: sum(true, (arm) => arm.retained),
  };
  const difference = proportionDifferenceInterval(
    { successes: sides.treatedRetained, trials: sides.treated },
    { successes: sides.heldOutRetained, trials: sides.heldOut },
    level,
  );
  if (sides.heldOut === 0) return { ...noLift('NO_HOLDOUT'), ...sides };
  if (difference === null || Math.min(sides.treated, sides.heldOut) < minimum)
    return { ...noLift('TOO_FEW'), ...sides };
  const worth = sum(false, (arm) => arm.valueMinor);
  const spent = sum(false, (arm) => arm.costMinor);
  const saved = (share: number) => Math.round(share * worth) - spent;
  const left = 1 - sides.heldOutRetained / sides.heldOut;
  return {
    ...sides,
    difference,
    saveRate: left === 0 ? null : difference.estimate / left,
    savedMinor: { estimate: saved(difference.estimate), low: saved(difference.low), high: saved(difference.high) },
    missing: null,
  };
}
