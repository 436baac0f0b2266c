import { z } from 'zod';
import { defineSetting } from '../../../src/core/settings/index.ts';

export const POINT_VALUE = defineSetting({
  key: 'loyalty.pointValue',
  description:
    'What a point is worth in minor units of the reporting currency, with at most 4 decimals: outstanding points times this is the liability. Null: the liability is not stated in money.',
  schema: z.object({ pointValueMinor: z.number().min(0).max(1_000_000).multipleOf(0.0001).nullable() }),
  default: { pointValueMinor: 1 },
});

export const BREAKAGE = defineSetting({
  key: 'loyalty.breakage',
  description:
    'When the history is too short for a forecast of points that will never be redeemed: the members who must have redeemed, and the days points must have been watched.',
  schema: z.object({ minRedeemers: z.int().min(2).max(100_000), minDays: z.int().min(1).max(1_095) }),
  default: { minRedeemers: 30, minDays: 180 },
});

export const reportSettings = [POINT_VALUE, BREAKAGE];
