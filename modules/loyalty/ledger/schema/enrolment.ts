import { type Builder, batchMutationField, mutationField } from '../../../../src/core/builder/index.ts';
import { customerRef, loadPart } from '../../../../src/core/graph/index.ts';
import { CustomerNotFound } from '../../../customers/contract.ts';
import type { LoyaltyService } from '../../service.ts';
import { type AccountShape, loyaltyPart } from '../parts.ts';
import type { AccountTypes } from './account.ts';
import { selectsParts } from './payload.ts';

const MAX_ENROLMENTS = 1_000;

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
          ...(selectsParts(info) ? await loadPart(builder, context, info, loyaltyPart, account.customerId, {}) : {}),
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
