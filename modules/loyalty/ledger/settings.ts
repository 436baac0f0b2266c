import { z } from 'zod';
import { defineSetting } from '../../../src/core/settings/index.ts';
import type { Expiry } from './expiry.ts';

/** How long points last. */
export const POINTS_EXPIRY = defineSetting<Expiry>({
  key: 'loyalty.pointsExpiry',
  description:
    'How many months after they were earned points lapse, null for never, and whether at the end of that day or of that month in the time zone of the business. Points keep the time they were earned with; a change holds for what is earned from then on.',
  schema: z.object({ months: z.int().min(1).max(120).nullable(), at: z.enum(['END_OF_DAY', 'END_OF_MONTH']) }),
  default: { months: null, at: 'END_OF_DAY' },
});

/** What taking back points does that were spent already. */
export const REVERSAL_OF_SPENT_POINTS = defineSetting<'DEBT' | 'REFUSE'>({
  key: 'loyalty.reversalOfSpentPoints',
  description:
    'What happens when points are taken back that were spent already. DEBT: the account owes them, and whatever it gets next pays them first. REFUSE: nothing is taken back.',
  schema: z.enum(['DEBT', 'REFUSE']),
  default: 'DEBT',
});

export const ledgerSettings = [POINTS_EXPIRY, REVERSAL_OF_SPENT_POINTS];
