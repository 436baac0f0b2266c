import { z } from 'zod';
import { defineSetting } from '../../../src/core/settings/index.ts';
import { VALUE_METHODS, type ValueMethod } from '../store.ts';
import { ACTION_TIERS } from './domain/actions.ts';

/** More tiers than a business tells apart; each makes picking dearer. */
const TIERS_MAX = 12;

export const ACTIONS = defineSetting({
  key: 'value.actions',
  description:
    'What can be done to keep a customer: cost per customer (decimal text in the reporting currency), save rate (share of those who would leave that stays because of it), capacity (customers it can serve in one plan; null: any number) and where these numbers come from. The shipped numbers are assumptions, to be replaced by the lift that your own campaigns measure.',
  schema: z
    .array(
      z.strictObject({
        key: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'is not like call or win_back_20'),
        name: z.string().min(1).max(100),
        cost: z.string().regex(/^\d{1,12}(\.\d{1,4})?$/, 'is not an amount such as 12.50'),
        saveRate: z.number().min(0).max(1),
        capacity: z.int().min(0).nullable(),
        basis: z.string().min(1).max(500),
      }),
    )
    .min(1)
    .max(TIERS_MAX)
    .refine((tiers) => new Set(tiers.map(({ key }) => key)).size === tiers.length, 'two actions have the same key'),
  default: ACTION_TIERS.map((tier) => ({ ...tier })),
});

export const ALLOCATION = defineSetting({
  key: 'value.allocation',
  description:
    'How budgets are allocated: which lifetime value counts, how many days after its confirmation a campaign is measured, which share of the picked customers is held out (stratified: of each action alike), how many customers each side needs before a lift is stated, and the level of its interval.',
  schema: z.object({
    valueMethod: z.enum(VALUE_METHODS),
    horizonDays: z.int().min(1).max(730),
    holdoutShare: z.number().min(0).max(0.5),
    stratified: z.boolean(),
    minimumPerSide: z.int().min(2).max(100_000),
    level: z.number().min(0.5).max(0.999),
  }),
  default: {
    valueMethod: 'BG_NBD' as ValueMethod,
    horizonDays: 90,
    holdoutShare: 0.1,
    stratified: true,
    minimumPerSide: 30,
    level: 0.95,
  },
});

export const allocationSettings = [ACTIONS, ALLOCATION];
