import { InvalidInput } from '../../../../src/core/errors.ts';
import { parseMoney } from '../../../../src/core/money.ts';

/** An action as the setting has it. */
export interface ActionTier {
  readonly key: string;
  readonly name: string;
  /** Major units of the reporting currency as a decimal text, e.g. "12.50". */
  readonly cost: string;
  /** Share of those who would leave that stays because of it, 0 to 1. */
  readonly saveRate: number;
  /** Customers it can serve in one plan; null when there is no end to it. */
  readonly capacity: number | null;
  /** Where its numbers come from. */
  readonly basis: string;
}

/** An action with its cost in minor units: what a plan reckons with. */
export interface PlannedAction extends Omit<ActionTier, 'cost'> {
  readonly costMinor: number;
}

/** What a plan has otherwise than the setting; what is left out stays. */
export interface ActionOverride {
  readonly key: string;
  readonly leftOut?: boolean | null | undefined;
  readonly costMinor?: number | null | undefined;
  readonly saveRate?: number | null | undefined;
  readonly capacity?: number | null | undefined;
}

const BASIS =
  'An assumption, not a measurement: replace it by what the lift of your own campaigns shows (see Allocation.actions.lift).';

/** Tiers that are shipped, from cheap to dear. */
export const ACTION_TIERS: readonly ActionTier[] = [
  { key: 'email', name: 'E-mail', cost: '0.10', saveRate: 0.02, capacity: null, basis: BASIS },
  { key: 'discount', name: 'Discount', cost: '20.00', saveRate: 0.08, capacity: null, basis: BASIS },
  { key: 'call', name: 'Call', cost: '30.00', saveRate: 0.12, capacity: 500, basis: BASIS },
  { key: 'executive', name: 'Executive outreach', cost: '250.00', saveRate: 0.25, capacity: 20, basis: BASIS },
];

/**
 * The actions of a plan.
 * @throws InvalidInput for an override of an unknown action or a number out of its range, or when no action is left
 */
export function planActions(
  tiers: readonly ActionTier[],
  overrides: readonly ActionOverride[],
  currency: string,
): PlannedAction[] {
  const byKey = new Map<string, ActionOverride>();
  for (const [at, override] of overrides.entries()) {
    const path = ['input', 'actions', at];
    if (!tiers.some(({ key }) => key === override.key)) {
      throw new InvalidInput(
        `There is no action "${override.key}". The setting value.actions has ${tiers.map(({ key }) => `"${key}"`).join(', ')}.`,
        { path: [...path, 'key'] },
      );
    }
    if (byKey.has(override.key)) {
      throw new InvalidInput(`The action "${override.key}" is named twice.`, { path: [...path, 'key'] });
    }
    checkOverride(override, path);
    byKey.set(override.key, override);
  }
  const actions = tiers
    .filter(({ key }) => byKey.get(key)?.leftOut !== true)
    .map(({ cost, ...tier }): PlannedAction => {
      const override = byKey.get(tier.key);
      return {
        ...tier,
        costMinor: override?.costMinor ?? parseMoney(cost, currency).amountMinor,
        saveRate: override?.saveRate ?? tier.saveRate,
        capacity: override?.capacity ?? tier.capacity,
        basis: override === undefined ? tier.basis : `Given with the plan. ${tier.basis}`,
      };
    });
  if (actions.length === 0) throw new InvalidInput('No action is left to pick.', { path: ['input', 'actions'] });
  return actions;
}

function checkOverride({ costMinor, saveRate, capacity }: ActionOverride, path: readonly (string | number)[]): void {
  const { isSafeInteger } = Number;
  if (costMinor != null && !(isSafeInteger(costMinor) && costMinor >= 0)) {
    throw new InvalidInput(`A cost of ${costMinor} minor units is below 0.`, { path: [...path, 'costMinor'] });
  }
  if (saveRate != null && !(saveRate >= 0 && saveRate <= 1)) {
    throw new InvalidInput(`A save rate of ${saveRate} does not lie between 0 and 1.`, { path: [...path, 'saveRate'] });
  }
  if (capacity != null && !(isSafeInteger(capacity) && capacity >= 0)) {
    throw new InvalidInput(`A capacity of ${capacity} is below 0.`, { path: [...path, 'capacity'] });
  }
}
