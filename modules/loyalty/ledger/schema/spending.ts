import { type Builder, mutationField } from '../../../../src/core/builder/index.ts';
import { customerRef } from '../../../../src/core/graph/index.ts';
import { CustomerNotFound } from '../../../customers/contract.ts';
import { EntryNotFound, EntryNotPending, InsufficientPoints, NotAMember } from '../../errors.ts';
import type { LoyaltyService } from '../../service.ts';
import type { AccountTypes } from './account.ts';
import { type Payloads, REPEATABLE } from './payload.ts';

/** The mutations that spend points, set them aside, and say what becomes of what waits. */
export function spendingMutations(
  builder: Builder,
  service: LoyaltyService,
  { Entry }: AccountTypes,
  payload: Payloads,
): void {
  const Customer = customerRef(builder);
  const RedeemInput = builder.inputType('RedeemPointsInput', {
    description: 'Points to be spent.',
    fields: (t) => ({
      idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: 'Your name of this request.' }),
      customerId: t.globalID({ required: true, for: Customer, description: 'Who spends.' }),
      points: t.field({ type: 'SafeInt', required: true, description: 'How many, above zero.' }),
      reason: t.string({ description: 'On what; at most 500 characters.' }),
    }),
  });
  const spending = {
    scope: 'loyalty:redeem' as const,
    errors: [CustomerNotFound, NotAMember, InsufficientPoints, ...REPEATABLE],
  };
  mutationField(builder, 'redeemPoints', {
    ...spending,
    description: 'Spends points at once, the oldest first.',
    input: RedeemInput,
    payload: payload('RedeemPointsSuccess', 'The points were spent.'),
    resolve: (input, context) => service.redeemPoints(context.call, { ...input, customerId: input.customerId.id }),
  });
  const HoldInput = builder.inputType('HoldPointsInput', {
    description: 'Points to be set aside.',
    fields: (t) => ({
      idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: 'Your name of this request.' }),
      customerId: t.globalID({ required: true, for: Customer, description: 'Whose points.' }),
      points: t.field({ type: 'SafeInt', required: true, description: 'How many, above zero.' }),
      expiresAt: t.field({
        type: 'DateTime',
        required: true,
        description: 'When they are given back unless they were confirmed before; at most 366 days ahead.',
      }),
      reason: t.string({ description: 'For what; at most 500 characters.' }),
    }),
  });
  mutationField(builder, 'holdPoints', {
    ...spending,
    description:
      'Sets points aside: they are no longer available, and do not lapse, until `confirmPoints` spends them or `voidPoints` gives them back.',
    input: HoldInput,
    payload: payload('HoldPointsSuccess', 'The points are set aside; the entry is what to confirm or void.'),
    resolve: (input, context) => service.holdPoints(context.call, { ...input, customerId: input.customerId.id }),
  });
  const SettleInput = builder.inputType('SettlePointsInput', {
    description: 'An entry that waits.',
    fields: (t) => ({
      idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: 'Your name of this request.' }),
      entryId: t.globalID({ required: true, for: Entry, description: 'The entry with the phase PENDING.' }),
      reason: t.string({ description: 'Why; at most 500 characters.' }),
    }),
  });
  const settling = {
    // It can make points available as well as spend them.
    scope: 'loyalty:award' as const,
    input: SettleInput,
    errors: [CustomerNotFound, EntryNotFound, EntryNotPending, ...REPEATABLE],
  };
  mutationField(builder, 'confirmPoints', {
    ...settling,
    description: 'What waits happens: pending points become available, points set aside are spent. Once.',
    payload: payload('ConfirmPointsSuccess', 'It happened.'),
    resolve: (input, context) => service.confirmPoints(context.call, { ...input, entryId: input.entryId.id }),
  });
  mutationField(builder, 'voidPoints', {
    ...settling,
    description:
      'What waits does not happen: pending points will not come, points set aside are available again in the lots they were taken from. Once.',
    payload: payload('VoidPointsSuccess', 'It will not happen.'),
    resolve: (input, context) => service.voidPoints(context.call, { ...input, entryId: input.entryId.id }),
  });
}
