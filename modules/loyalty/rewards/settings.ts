import { z } from 'zod';
import { defineSetting } from '../../../src/core/settings/index.ts';
import { EXPIRY_RULES, type ExpiryRule } from './domain/redemption.ts';

/** Whose the points are when a voucher was not used. */
export const EXPIRED_REDEMPTIONS = defineSetting<ExpiryRule>({
  key: 'loyalty.expiredRedemptions',
  description:
    'What becomes of the points when a redemption is not used in time: RETURN gives them back to the customer, FORFEIT takes them. The stock goes back in either case.',
  schema: z.enum(EXPIRY_RULES),
  default: 'RETURN',
});
