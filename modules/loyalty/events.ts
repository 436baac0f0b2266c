import { z } from 'zod';
import { defineEvent } from '../../src/core/events/index.ts';
import { TIER_CAUSES, TIER_KEYS } from './domain/tiers.ts';
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
  payload: z.object({
    ...entry,
    reverses: id,
    /** Points that had been spent already and are owed now; negative when points given back paid a debt. */
    debt: z.int().default(0),
  }),
});

export const pointsAdjusted = defineEvent({
  type: 'loyalty.pointsAdjusted',
  version: 1,
  description: 'A balance was put right by hand, or moved because two customers were merged.',
  payload: z.object({ ...entry, source: z.enum(ENTRY_SOURCES) }),
});

export const pointsRedeemed = defineEvent({
  type: 'loyalty.pointsRedeemed',
  version: 1,
  description: 'A customer spent points: at once, or because points that were set aside were confirmed.',
  payload: z.object({
    ...entry,
    source: z.enum(ENTRY_SOURCES),
    /** What they were spent on. */
    sourceId: id.nullable(),
  }),
});

export const pointsExpired = defineEvent({
  type: 'loyalty.pointsExpired',
  version: 1,
  description: 'Points lapsed.',
  payload: z.object(entry),
});

const waiting = {
  entryId: id,
  accountId: id,
  /** How many wait, or waited. */
  points: z.int(),
  source: z.enum(ENTRY_SOURCES),
  sourceId: id.nullable(),
  /** Points that can be spent after it, and those set aside. */
  available: z.int(),
  held: z.int(),
};

export const pointsPending = defineEvent({
  type: 'loyalty.pointsPending',
  version: 1,
  description: 'Points were awarded that wait to be confirmed.',
  payload: z.object({ ...waiting, expiresAt: z.iso.datetime() }),
});

export const pointsHeld = defineEvent({
  type: 'loyalty.pointsHeld',
  version: 1,
  description: 'Points were set aside until they are spent or given back.',
  payload: z.object({ ...waiting, expiresAt: z.iso.datetime() }),
});

const settled = {
  ...waiting,
  /** The entry that waited. */
  settles: id,
  /** CREDIT: they were to come; DEBIT: they were to be spent. */
  direction: z.enum(['CREDIT', 'DEBIT']),
};

export const pointsConfirmed = defineEvent({
  type: 'loyalty.pointsConfirmed',
  version: 1,
  description: 'Points that waited came, or were spent; loyalty.pointsAwarded or loyalty.pointsRedeemed follows.',
  payload: z.object(settled),
});

export const pointsVoided = defineEvent({
  type: 'loyalty.pointsVoided',
  version: 1,
  description: 'Points that waited will not come, or were given back: somebody said so, or their time was over.',
  payload: z.object(settled),
});

export const tierChanged = defineEvent({
  type: 'loyalty.tierChanged',
  version: 2,
  description:
    'A customer reached another tier; DOWN when earnings were taken back, or by the review after the grace period.',
  payload: z.object({
    accountId: id,
    /** The entry that led to it; null when it was the review. */
    entryId: id.nullable(),
    cause: z.enum(TIER_CAUSES).default('ENTRY'),
    from: tier,
    to: tier,
    direction: z.enum(['UP', 'DOWN']),
    earned: z.int(),
    balance: z.int(),
  }),
});

export const tierAtRisk = defineEvent({
  type: 'loyalty.tierAtRisk',
  version: 1,
  description:
    'What counts no longer gives the tier that a customer holds: unless enough is earned before the grace period ends, it falls.',
  payload: z.object({
    accountId: id,
    tier,
    /** The tier that what counts gives. */
    to: tier,
    /** Points that count now. */
    counting: z.int(),
    /** Points still to earn to keep the tier. */
    pointsToKeep: z.int(),
    downgradeAt: z.iso.datetime(),
  }),
});

/** All of them, for the module's table of contents. */
export const loyaltyEvents = [
  customersEnrolled,
  pointsAwarded,
  pointsRedeemed,
  pointsExpired,
  pointsPending,
  pointsHeld,
  pointsConfirmed,
  pointsVoided,
  pointsReversed,
  pointsAdjusted,
  tierChanged,
  tierAtRisk,
];
