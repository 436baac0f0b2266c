import { z } from 'zod';
import { defineEvent } from '../../src/core/events/index.ts';
import { TIER_KEYS } from './domain/tiers.ts';
import { ENTRY_SOURCES } from './ledger/domain/ledger.ts';

/** The facts this module publishes. They carry ids and numbers, no personal data. */

const id = z.uuid();
const tier = z.enum(TIER_KEYS);
const entry = {
  entryId: id,
  accountId: id,
  /** What the entry added, or took away. */
  points: z.int(),
  balance: z.int(),
  /** Points earned in all: what the tier goes by. */
  earned: z.int(),
};

export const customersEnrolled = defineEvent({
  type: 'loyalty.customersEnrolled',
  version: 1,
  description: 'Customers joined the programme: one fact for each batch of at most 1,000.',
  payload: z.object({ count: z.int(), customerIds: z.array(id).max(1_000) }),
});

export const pointsAwarded = defineEvent({
  type: 'loyalty.pointsAwarded',
  version: 1,
  description: 'A customer earned points.',
  payload: z.object({
    ...entry,
    tier,
    /** Key of the earning rule; null when points were given outright. */
    rule: z.string().nullable(),
    source: z.enum(ENTRY_SOURCES),
    /** The order, when it was one. */
    sourceId: id.nullable(),
  }),
});

export const pointsReversed = defineEvent({
  type: 'loyalty.pointsReversed',
  version: 1,
  description: 'An earlier entry was taken back by a new one.',
  payload: z.object({ ...entry, reverses: id }),
});

export const pointsAdjusted = defineEvent({
  type: 'loyalty.pointsAdjusted',
  version: 1,
  description: 'A balance was put right by hand, or moved because two customers were merged.',
  payload: z.object({ ...entry, source: z.enum(ENTRY_SOURCES) }),
});

export const tierChanged = defineEvent({
  type: 'loyalty.tierChanged',
  version: 1,
  description: 'A customer reached another tier; DOWN only when earnings were taken back.',
  payload: z.object({
    accountId: id,
    entryId: id,
    from: tier,
    to: tier,
    direction: z.enum(['UP', 'DOWN']),
    earned: z.int(),
    balance: z.int(),
  }),
});

/** All of them, for the module's table of contents. */
export const loyaltyEvents = [customersEnrolled, pointsAwarded, pointsReversed, pointsAdjusted, tierChanged];
