import { z } from 'zod';
import { defineEvent } from '../../../src/core/events/index.ts';
import { STAGES } from './domain/journey.ts';
import { BANDS } from './domain/score.ts';

const band = z.enum(BANDS);
const score = z.number();

export const bandChanged = defineEvent({
  type: 'loyalty.bandChanged',
  version: 1,
  description:
    'The loyalty of a customer crossed into another band; the first score is told when it lies above the lowest band.',
  payload: z.object({
    /** Null for the first score. */
    from: band.nullable(),
    to: band,
    direction: z.enum(['UP', 'DOWN']),
    score,
    previousScore: score.nullable(),
    /** Share of the weights that was known, 0 to 1. */
    coverage: z.number(),
  }),
});

export const stageChanged = defineEvent({
  type: 'loyalty.stageChanged',
  version: 1,
  description: 'A customer came into another stage of its journey.',
  payload: z.object({ from: z.enum(STAGES), to: z.enum(STAGES) }),
});

export const standingsRecomputed = defineEvent({
  type: 'loyalty.standingsRecomputed',
  version: 1,
  description: 'Loyalty scores and journeys of all customers were reckoned anew: one fact for all of them.',
  payload: z.object({ customers: z.int(), changed: z.int() }),
});

export const ambassadorInvited = defineEvent({
  type: 'loyalty.ambassadorInvited',
  version: 1,
  description: 'A Champion was invited to be an ambassador; that happens once.',
  payload: z.object({ score, referrals: z.int(), lastNps: z.number().nullable() }),
});

export const ambassadorThanked = defineEvent({
  type: 'loyalty.ambassadorThanked',
  version: 1,
  description: 'An ambassador was thanked; that happens once.',
  payload: z.object({ invitedAt: z.iso.datetime(), referrals: z.int() }),
});

export const standingEvents = [bandChanged, stageChanged, standingsRecomputed, ambassadorInvited, ambassadorThanked];
