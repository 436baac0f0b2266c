import type { FieldNode, GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { type Builder, batchMutationField, domainError, mutationField } from '../../../../src/core/builder/index.ts';
import { IdempotencyConflict, Overloaded } from '../../../../src/core/errors.ts';
import { customerRef, loadPart } from '../../../../src/core/graph/index.ts';
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
import type { TierTypes } from '../../schema/tiers.ts';
import type { LoyaltyService } from '../../service.ts';
import type { Posted } from '../commands.ts';
import { type AccountShape, loyaltyPart } from '../parts.ts';
import type { AccountTypes } from './account.ts';

/** Items of one request. */
const MAX_AWARDS = 1_000;
const MAX_ENROLMENTS = 1_000;

const shapeOf = ({ account }: Posted): AccountShape => ({
  ...account,
  tierKey: account.tier,
  points: account.balance,
});

/** The mutations that move points. */
export function pointsMutations(
  builder: Builder,
  service: LoyaltyService,
  tiers: TierTypes,
  { Account, Entry }: AccountTypes,
): void {
  declareErrors(builder, tiers);
  const Customer = customerRef(builder);

  /** The account as this answer left it; only the list of its entries is read, and only when it is selected. */
  const accountOf = async (posted: Posted, context: Parameters<typeof loadPart>[1], info: GraphQLResolveInfo) => {
    const shape = shapeOf(posted);
    if (!selects(info, 'entries')) return shape;
    const loaded = await loadPart(builder, context, info, loyaltyPart, posted.account.customerId, {});
    return { ...loaded, ...shape };
  };
  const payload = (name: string, description: string) =>
    builder.objectRef<Posted>(name).implement({
      description,
      fields: (t) => ({
        entry: t.field({
          type: Entry,
          description: 'The line written to the ledger.',
          resolve: (posted) => posted.entry,
        }),
        account: t.field({
          type: Account,
          description: 'The account as this left it.',
          resolve: (posted, _args, context, info) => accountOf(posted, context, info),
        }),
        tierChange: t.field({
          type: tiers.TierChange,
          nullable: true,
          description: 'The move to another tier; null when the tier stayed.',
          resolve: (posted) => posted.tierChange,
        }),
        replayed: t.exposeBoolean('replayed', {
          description: 'Whether the key was used before with this input: then this is the first answer again.',
        }),
      }),
    });

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
    }),
  });
  type AwardShape = typeof AwardInput.$inferInput;
  const award = (input: AwardShape) => ({ ...input, customerId: input.customerId.id });
  const awarding = {
    scope: 'loyalty:award' as const,
    input: AwardInput,
    payload: payload('AwardPointsSuccess', 'Points were given.'),
    errors: [
      CustomerNotFound,
      NotAMember,
      RuleNotOpenToTier,
      RuleNotValid,
      EarningCapReached,
      IdempotencyConflict,
      Overloaded,
    ],
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
    errors: [CustomerNotFound, NotAMember, InsufficientPoints, IdempotencyConflict, Overloaded],
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
      'Takes an entry back by a new one. Refused when the points were spent already. Earnings taken back no longer count for the tier.',
    scope: 'loyalty:award',
    input: ReverseInput,
    payload: payload('ReversePointsSuccess', 'The entry was taken back.'),
    errors: [EntryNotFound, EntryNotReversible, InsufficientPoints, IdempotencyConflict, Overloaded],
    resolve: (input, context) => service.reversePoints(context.call, { ...input, entryId: input.entryId.id }),
  });
}

/** The mutations that make members. */
export function enrolmentMutations(builder: Builder, service: LoyaltyService, { Account }: AccountTypes): void {
  interface Enrolment {
    readonly account: AccountShape;
    readonly alreadyMember: boolean;
  }
  const Success = builder.objectRef<Enrolment>('EnrolCustomerSuccess').implement({
    description: 'The customer is a member.',
    fields: (t) => ({
      account: t.field({
        type: Account,
        description: 'The account.',
        resolve: async ({ account }, _args, context, info) => ({
          ...(selects(info, 'entries')
            ? await loadPart(builder, context, info, loyaltyPart, account.customerId, {})
            : {}),
          ...account,
        }),
      }),
      alreadyMember: t.exposeBoolean('alreadyMember', { description: 'Whether the customer was one before.' }),
    }),
  });
  batchMutationField(builder, 'enrolCustomers', {
    description: 'Makes customers members of the loyalty programme. Who is one stays one.',
    scope: 'loyalty:award',
    input: builder.inputType('EnrolCustomerInput', {
      description: 'A customer to become a member.',
      fields: (t) => ({
        customerId: t.globalID({ required: true, for: customerRef(builder), description: 'Who joins.' }),
      }),
    }),
    payload: Success,
    errors: [CustomerNotFound],
    maxItems: MAX_ENROLMENTS,
    resolve: async (inputs, context) => {
      const answers = await service.enrolCustomers(
        context.call,
        inputs.map((input) => input.customerId.id),
      );
      return answers.map((answer) =>
        answer instanceof Error
          ? answer
          : {
              alreadyMember: answer.alreadyMember,
              account: { ...answer.account, tierKey: answer.account.tier, points: answer.account.balance },
            },
      );
    },
  });
  const Everybody = builder.objectRef<{ readonly customers: number }>('EnrolEverybodySuccess').implement({
    description: 'The customers who are no members yet are being enrolled.',
    fields: (t) => ({
      customers: t.exposeInt('customers', { description: 'How many there were when this was asked.' }),
    }),
  });
  mutationField(builder, 'enrolEverybody', {
    description: 'Makes all customers members, in the background. Asking again while it runs changes nothing.',
    scope: 'loyalty:award',
    input: builder.inputType('EnrolEverybodyInput', {
      description: 'How to enrol everybody.',
      fields: (t) => ({
        dryRun: t.boolean({ required: true, defaultValue: false, description: 'Only count who would join.' }),
      }),
    }),
    payload: Everybody,
    resolve: async ({ dryRun }) => ({ customers: await service.startEnrollingEverybody({ dryRun }) }),
  });
}

function declareErrors(builder: Builder, tiers: TierTypes): void {
  domainError(
    builder,
    NotAMember,
    'The customer has not joined the programme, and customers do not join by themselves.',
  );
  domainError(builder, RuleNotOpenToTier, 'The earning rule gives nothing to members of this tier.', (t) => ({
    rule: t.exposeString('rule', { description: 'Key of the rule.' }),
    tier: t.field({ type: tiers.Key, description: 'The tier held.', resolve: (error) => error.tier }),
    openTo: t.field({ type: [tiers.Key], description: 'Tiers it is open to.', resolve: (error) => [...error.openTo] }),
  }));
  domainError(builder, RuleNotValid, 'The earning rule was not in force when the points would have been earned.');
  domainError(builder, EarningCapReached, 'The earning rule gives no more points in this period.', (t) => ({
    rule: t.exposeString('rule', { description: 'Key of the rule.' }),
    left: t.exposeInt('left', { description: 'How often it would still give points in the period.' }),
    resetsAt: t.expose('resetsAt', { type: 'DateTime', description: 'When the next period begins.' }),
  }));
  domainError(builder, InsufficientPoints, 'The balance does not cover what would be taken.', (t) => ({
    available: t.expose('available', { type: 'SafeInt', description: 'Points held.' }),
    needed: t.expose('needed', { type: 'SafeInt', description: 'Points that would be taken.' }),
  }));
  domainError(builder, EntryNotFound, 'There is no such ledger entry.');
  domainError(builder, EntryNotReversible, 'The ledger entry cannot be taken back; the message says why.');
}

/** Whether a field of that name is selected below, directly or in a fragment. */
function selects(info: GraphQLResolveInfo, name: string): boolean {
  const within = (set: SelectionSetNode | undefined): boolean =>
    set?.selections.some((selection) => {
      if (selection.kind === 'Field') return selection.name.value === name;
      if (selection.kind === 'InlineFragment') return within(selection.selectionSet);
      return within(info.fragments[selection.name.value]?.selectionSet);
    }) ?? false;
  return info.fieldNodes.some((node: FieldNode) => within(node.selectionSet));
}
