import { type Builder, domainError, mutationField } from '../../../../src/core/builder/index.ts';
import { IdempotencyConflict } from '../../../../src/core/errors.ts';
import { AllocationNotFound, AllocationOverlap, AllocationStateConflict, AllocationTooLarge } from '../errors.ts';
import type { AllocationService } from '../service.ts';
import type { AllocationRow } from '../store.ts';
import type { AllocationTypes } from './allocation.ts';

interface Success {
  readonly allocation: AllocationRow;
}

/** Declares the mutations that plan, confirm and cancel. */
export function allocationMutations(
  builder: Builder,
  service: AllocationService,
  Allocation: AllocationTypes['Allocation'],
): void {
  domainError(builder, AllocationNotFound, 'There is no allocation of this id.');
  domainError(builder, AllocationStateConflict, 'The allocation is not in a state in which this can be done.');
  domainError(builder, AllocationTooLarge, 'More customers would be picked than one plan holds.');
  domainError(builder, AllocationOverlap, 'Customers of the plan are in another campaign by now. Plan anew.', (t) => ({
    customers: t.exposeInt('customers', { description: 'How many.' }),
  }));
  const success = (name: string, description: string) =>
    builder.objectRef<Success>(name).implement({
      description,
      fields: (t) => ({
        allocation: t.expose('allocation', { type: Allocation, description: 'The allocation as it is now.' }),
      }),
    });
  const keyDescription = 'Your name of this request: sent again, it is answered again and nothing is done twice.';

  const ActionInput = builder.inputType('AllocationActionInput', {
    description: 'What this plan has otherwise than the setting value.actions; what is left out stays.',
    fields: (t) => ({
      key: t.string({ required: true, description: 'Key of the action.' }),
      leftOut: t.boolean({ description: 'True: this plan does without it.' }),
      costMinor: t.field({
        type: 'SafeInt',
        description: 'Cost per customer in minor units of the reporting currency.',
      }),
      saveRate: t.float({ description: 'Share of those who would leave that stays because of it, 0 to 1.' }),
      capacity: t.field({ type: 'NonNegativeInt', description: 'Customers it can serve.' }),
    }),
  });
  mutationField(builder, 'planAllocation', {
    description:
      'Allocates a budget: picks at most one action per customer by what each unit of cost is expected to save (probability to leave × save rate × value − cost), holds a share out, and keeps the plan as a draft. Customers who left and those of running campaigns are left out.',
    scope: 'value:write',
    input: builder.inputType('PlanAllocationInput', {
      description: 'A budget to be allocated.',
      fields: (t) => ({
        idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: keyDescription }),
        name: t.string({ required: true, description: 'Name of the plan, for people; 1 to 200 characters.' }),
        budgetMinor: t.field({
          type: 'SafeInt',
          required: true,
          description: 'What may be spent, in minor units of the reporting currency; above 0.',
        }),
        horizonDays: t.field({
          type: 'PositiveInt',
          description:
            'Days from confirmation to measurement, 1 to 730; of the setting when left out. Customers who leave by inactivity show it only after the days of inactivity.',
        }),
        assumedProbability: t.float({
          description:
            'Probability to leave of customers without a prediction, 0 to 1. When left out, such customers are left out and counted.',
        }),
        holdoutShare: t.float({
          description: 'Share of the picked customers to hold out, 0 to 0.5; of the setting when left out.',
        }),
        seed: t.field({ type: 'SafeInt', description: 'Seed of the draw of the holdout; drawn when left out.' }),
        actions: t.field({ type: [ActionInput], description: 'Actions this plan has otherwise than the setting.' }),
      }),
    }),
    payload: success('PlanAllocationSuccess', 'The plan was made.'),
    errors: [IdempotencyConflict, AllocationTooLarge],
    resolve: async (input, context) => ({ allocation: await service.plan(context.call, input) }),
  });

  const changeInput = (name: string, description: string) =>
    builder.inputType(name, {
      description,
      fields: (t) => ({
        idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: keyDescription }),
        allocationId: t.globalID({ required: true, for: Allocation, description: 'The plan.' }),
      }),
    });
  mutationField(builder, 'confirmCampaign', {
    description:
      'Makes a draft a campaign: its actions are to be carried out for the treated customers, and its horizon begins.',
    scope: 'value:write',
    input: changeInput('ConfirmCampaignInput', 'A plan to be confirmed.'),
    payload: success('ConfirmCampaignSuccess', 'The plan is a campaign.'),
    errors: [IdempotencyConflict, AllocationNotFound, AllocationStateConflict, AllocationOverlap],
    resolve: async ({ idempotencyKey, allocationId }, context) => ({
      allocation: await service.confirm(context.call, { idempotencyKey, allocationId: allocationId.id }),
    }),
  });
  mutationField(builder, 'cancelCampaign', {
    description: 'Calls a draft or a running campaign off. It is not measured, and its customers are free for others.',
    scope: 'value:write',
    input: changeInput('CancelCampaignInput', 'A plan or campaign to be called off.'),
    payload: success('CancelCampaignSuccess', 'It is called off.'),
    errors: [IdempotencyConflict, AllocationNotFound, AllocationStateConflict],
    resolve: async ({ idempotencyKey, allocationId }, context) => ({
      allocation: await service.cancel(context.call, { idempotencyKey, allocationId: allocationId.id }),
    }),
  });
}
