import { z } from 'zod';
import { defineEvent } from '../../../src/core/events/index.ts';
import { POINTS_STATES } from './domain/redemption.ts';

/** The facts about rewards. They carry ids and numbers; no voucher codes, which are as good as money. */

const id = z.uuid();
const redemption = {
  redemptionId: id,
  rewardId: id,
  quantity: z.int(),
  /** What it costs, for all of them. */
  points: z.int(),
};

export const rewardRedeemed = defineEvent({
  type: 'loyalty.rewardRedeemed',
  version: 1,
  description: 'A customer exchanged points for a reward: the points are held until it is fulfilled.',
  payload: z.object({ ...redemption, expiresAt: z.iso.datetime().nullable() }),
});

export const redemptionFulfilled = defineEvent({
  type: 'loyalty.redemptionFulfilled',
  version: 1,
  description: 'A redemption was fulfilled: the voucher was used, or what it stands for was handed out.',
  payload: z.object(redemption),
});

export const redemptionCancelled = defineEvent({
  type: 'loyalty.redemptionCancelled',
  version: 1,
  description: 'A redemption was cancelled: points and stock went back.',
  payload: z.object(redemption),
});

export const redemptionExpired = defineEvent({
  type: 'loyalty.redemptionExpired',
  version: 1,
  description: 'A redemption was not used in time: the stock went back, and the points did or were forfeited.',
  payload: z.object({ ...redemption, pointsState: z.enum(POINTS_STATES) }),
});

export const rewardStockLow = defineEvent({
  type: 'loyalty.rewardStockLow',
  version: 1,
  description: 'The stock of a reward fell to its mark or below: said once on each way down.',
  payload: z.object({ rewardId: id, stock: z.int(), lowStockAt: z.int() }),
});

export const CATALOGUE_CHANGES = ['CREATED', 'CHANGED', 'ARCHIVED', 'RESTORED'] as const;

export type CatalogueChange = (typeof CATALOGUE_CHANGES)[number];

export const rewardChanged = defineEvent({
  type: 'loyalty.rewardChanged',
  version: 1,
  description: 'A reward was put into the catalogue, changed, archived or taken up again.',
  payload: z.object({
    rewardId: id,
    change: z.enum(CATALOGUE_CHANGES),
    /** Which of its properties changed. */
    fields: z.array(z.string()),
  }),
});

/** All of them, for the module's table of contents. */
export const rewardEvents = [
  rewardRedeemed,
  redemptionFulfilled,
  redemptionCancelled,
  redemptionExpired,
  rewardStockLow,
  rewardChanged,
];
