import { type Builder, batchMutationField, mutationField } from '../../../../src/core/builder/index.ts';
import { customerRef } from '../../../../src/core/graph/index.ts';
import { CustomerNotFound } from '../../../customers/contract.ts';
import {
  EarningCapReached,
  EntryNotFound,
  EntryNotReversible,
  InsufficientPoints,
  NotAMember,
  RuleNotOpenToTier,
  RuleNotValid,
} from '../../errors.ts';
import type { LoyaltyService } from '../../service.ts';
import type { AccountTypes } from './account.ts';
import { type Payloads, REPEATABLE } from './payload.ts';

/** Items of one request. */
const MAX_AWARDS = 5_000;

/** The mutations that award points, put balances right and take entries back. */
export function pointsMutations(
  builder: Builder,
  service: LoyaltyService,
  { Entry }: AccountTypes,
  payload: Payloads,
): void {
  const Customer = customerRef(builder);

  const AwardInput = builder.inputType('AwardPointsInput', {
    description: 'Points for a customer: either by a rule, or a number of points.',
    fields: (t) => ({
      idempotencyKey: t.field({
        type: 'IdempotencyKey',
        required: true,
        description: 'Your name of this request: sent again, it is answered again and nothing is done twice.',
      }),
      customerId: t.globalID({ required: true, for: Customer, description: 'Who earns.' }),
      rule: t.string({ description: 'Key of an earning rule, e.g. referral_successful; then without `points`.' }),
      points: t.field({ type: 'PositiveInt', description: 'Points given outright; then without `rule`.' }),
      count: t.field({ type: 'PositiveInt', description: 'How often the rule applies; 1 when left out.' }),
      reason: t.string({ description: 'Why, for people; at most 500 characters.' }),
      effectiveAt: t.field({
        type: 'DateTime',
        description: 'When it was earned, not in the future; now when left out. Caps and validity go by it.',
      }),
      pendingUntil: t.field({
        type: 'DateTime',
        description:
          'Give the points as pending: they come once `confirmPoints` says so, and are voided at this time unless it did. There at once when left out.',
      }),
    }),
  });
  type AwardShape = typeof AwardInput.$inferInput;
  const award = (input: AwardShape) => ({ ...input, customerId: input.customerId.id });
  const awarding = {
    scope: 'loyalty:award' as const,
    input: AwardInput,
    payload: payload('AwardPointsSuccess', 'Points were given.'),
    errors: [CustomerNotFound, NotAMember, RuleNotOpenToTier, RuleNotValid, EarningCapReached, ...REPEATABLE],
  };
  mutationField(builder, 'awardPoints', {
    ...awarding,
    description: 'Gives points to a customer, by an earning rule or outright.',
    resolve: (input, context) => service.awardPoints(context.call, award(input)),
  });
  batchMutationField(builder, 'awardPointsBatch', {
    ...awarding,
    description: 'Gives points to many customers. Items succeed and fail apart, each by its own key.',
    maxItems: MAX_AWARDS,
    resolve: (inputs, context) => service.awardPointsBatch(context.call, inputs.map(award)),
  });

  const AdjustInput = builder.inputType('AdjustPointsInput', {
    description: 'A balance put right by hand.',
    fields: (t) => ({
      idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: 'Your name of this request.' }),
      customerId: t.globalID({ required: true, for: Customer, description: 'Whose balance.' }),
      points: t.field({ type: 'SafeInt', required: true, description: 'Points to add, or to take when negative.' }),
      reason: t.string({ required: true, description: 'Why; at most 500 characters.' }),
    }),
  });
  mutationField(builder, 'adjustPoints', {
    description: 'Puts a balance right by an entry that counts for no tier.',
    scope: 'loyalty:award',
    input: AdjustInput,
    payload: payload('AdjustPointsSuccess', 'The balance was put right.'),
    errors: [CustomerNotFound, NotAMember, InsufficientPoints, ...REPEATABLE],
    resolve: (input, context) => service.adjustPoints(context.call, { ...input, customerId: input.customerId.id }),
  });

  const ReverseInput = builder.inputType('ReversePointsInput', {
    description: 'An entry to be taken back.',
    fields: (t) => ({
      idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: 'Your name of this request.' }),
      entryId: t.globalID({ required: true, for: Entry, description: 'The entry.' }),
      reason: t.string({ description: 'Why; at most 500 characters.' }),
    }),
  });
  mutationField(builder, 'reversePoints', {
    description:
      'Takes an entry back by a new one. Points spent again go back to where they were taken from, and lapse at once when their time is over meanwhile. Points taken back that were spent already become a debt, or the reversal is refused: the setting loyalty.reversalOfSpentPoints. Earnings taken back no longer count for the tier.',
    scope: 'loyalty:award',
    input: ReverseInput,
    payload: payload('ReversePointsSuccess', 'The entry was taken back.'),
    errors: [EntryNotFound, EntryNotReversible, InsufficientPoints, ...REPEATABLE],
    resolve: (input, context) => service.reversePoints(context.call, { ...input, entryId: input.entryId.id }),
  });
}
