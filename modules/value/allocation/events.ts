import { z } from 'zod';
import { defineEvent } from '../../../src/core/events/index.ts';

const money = { currency: z.string(), budgetMinor: z.int() };

export const allocationPlanned = defineEvent({
  type: 'value.allocationPlanned',
  version: 1,
  description:
    'A budget was allocated: a plan says who would get which action. Nothing happens before it is confirmed.',
  payload: z.object({ allocationId: z.uuid(), ...money, customers: z.int(), heldOut: z.int(), savedMinor: z.int() }),
});

export const campaignConfirmed = defineEvent({
  type: 'value.campaignConfirmed',
  version: 1,
  description:
    'A plan became a campaign: its actions are to be carried out for the treated customers, and for none of those held out.',
  payload: z.object({ allocationId: z.uuid(), ...money, treated: z.int(), heldOut: z.int(), dueAt: z.iso.datetime() }),
});

export const campaignCancelled = defineEvent({
  type: 'value.campaignCancelled',
  version: 1,
  description: 'A plan or a running campaign was called off: what was not carried out yet is not to be.',
  payload: z.object({ allocationId: z.uuid(), wasConfirmed: z.boolean() }),
});

export const campaignMeasured = defineEvent({
  type: 'value.campaignMeasured',
  version: 1,
  description:
    'The horizon of a campaign is over and its effect was measured; the difference is null with too few customers.',
  payload: z.object({ allocationId: z.uuid(), difference: z.number().nullable(), savedMinor: z.int().nullable() }),
});

export const allocationEvents = [allocationPlanned, campaignConfirmed, campaignCancelled, campaignMeasured];
