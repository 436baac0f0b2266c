import { type Builder, encodeGlobalId } from '../../../../src/core/builder/index.ts';
import { customerResolver, partField } from '../../../../src/core/graph/index.ts';
import type { Lift } from '../domain/lift.ts';
import { campaignPart } from '../parts.ts';
import type { AssignmentRow, PickSums } from '../store.ts';

export const SCOPE = 'value:read';

const money = (amountMinor: number, currency: string) => ({ amountMinor, currency });

/** A lift with the currency of its money. */
export interface LiftShown extends Lift {
  readonly currency: string;
  readonly level: number;
}

/** Declares `CampaignLift`. */
export function liftType(builder: Builder) {
  const Missing = builder.enumType('CampaignLiftMissing', {
    description: 'Why there is no lift.',
    values: {
      NOT_CONFIRMED: { description: 'The plan was not confirmed: nothing was done.' },
      CANCELLED: { description: 'The campaign was called off.' },
      HORIZON_NOT_OVER: { description: 'The horizon is not over, or was not measured yet; see `dueAt`.' },
      NO_HOLDOUT: { description: 'Nobody was held out, so that there is nothing to compare with.' },
      TOO_FEW: { description: 'One side has fewer customers than the setting value.allocation asks for.' },
    } as const,
  });
  return builder.objectRef<LiftShown>('CampaignLift').implement({
    description:
      'The measured effect: the share of the treated who were still there at the end of the horizon, against those held out.',
    fields: (t) => ({
      missing: t.field({
        type: Missing,
        nullable: true,
        description: 'Why nothing is stated; null when it is.',
        resolve: (l) => l.missing,
      }),
      treated: t.exposeInt('treated', { description: 'Customers treated.' }),
      treatedRetained: t.exposeInt('treatedRetained', { description: 'Those of them still there.' }),
      heldOut: t.exposeInt('heldOut', { description: 'Customers held out.' }),
      heldOutRetained: t.exposeInt('heldOutRetained', { description: 'Those of them still there.' }),
      difference: t.float({
        nullable: true,
        description: 'Retained share of the treated less that of those held out.',
        resolve: (l) => l.difference?.estimate ?? null,
      }),
      differenceLow: t.float({
        nullable: true,
        description: 'Lower end of its interval (Newcombe 1998, method 10).',
        resolve: (l) => l.difference?.low ?? null,
      }),
      differenceHigh: t.float({
        nullable: true,
        description: 'Upper end of its interval.',
        resolve: (l) => l.difference?.high ?? null,
      }),
      level: t.exposeFloat('level', { description: 'Share of such intervals that hold the truth.' }),
      saveRate: t.exposeFloat('saveRate', {
        nullable: true,
        description:
          'The difference as a share of those held out who left: the measured save rate, to replace the assumed one; null when none left.',
      }),
      saved: t.field({
        type: 'Money',
        nullable: true,
        description: 'Measured saved value: difference × value of the treated, less what their actions cost.',
        resolve: (l) => (l.savedMinor === null ? null : money(l.savedMinor.estimate, l.currency)),
      }),
      savedLow: t.field({
        type: 'Money',
        nullable: true,
        description: 'The same at the lower end of the interval of the difference.',
        resolve: (l) => (l.savedMinor === null ? null : money(l.savedMinor.low, l.currency)),
      }),
      savedHigh: t.field({
        type: 'Money',
        nullable: true,
        description: 'The same at the upper end.',
        resolve: (l) => (l.savedMinor === null ? null : money(l.savedMinor.high, l.currency)),
      }),
    }),
  });
}

/** Declares `AllocationSums`. */
export const sumsType = (builder: Builder) =>
  builder.objectRef<PickSums & { readonly currency: string }>('AllocationSums').implement({
    description: 'Sums over customers of a plan, as it was made.',
    fields: (t) => ({
      customers: t.exposeInt('customers', { description: 'How many.' }),
      cost: t.field({
        type: 'Money',
        description: 'What their actions cost.',
        resolve: (s) => money(s.costMinor, s.currency),
      }),
      expectedSaved: t.field({
        type: 'Money',
        description: 'Expected saved value, less the cost.',
        resolve: (s) => money(s.savedMinor, s.currency),
      }),
      value: t.field({
        type: 'Money',
        description: 'What they are worth.',
        resolve: (s) => money(s.valueMinor, s.currency),
      }),
    }),
  });

export type AssignmentShown = AssignmentRow & { readonly planId: string; readonly currency: string };

/** Declares `AllocationAssignment` and `Customer.campaign`. */
export function assignmentType(builder: Builder) {
  const Source = builder.enumType('ChurnProbabilitySource', {
    description: 'Where the probability of a customer to leave comes from.',
    values: {
      PREDICTED: { description: 'A prediction of the model in force.' },
      ASSUMED: { description: 'The `assumedProbability` of the plan: nothing was known of this customer.' },
    } as const,
  });
  const Assignment = builder.objectRef<AssignmentShown>('AllocationAssignment').implement({
    description: 'What a plan picked for a customer.',
    fields: (t) => ({
      allocationId: t.id({
        description: 'Id of the plan.',
        resolve: (a) => encodeGlobalId('Allocation', a.planId),
      }),
      customer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'The customer; null when it is known no more.',
        resolve: customerResolver(builder, (a: AssignmentShown) => a.customerId),
      }),
      action: t.exposeString('action', { description: 'Key of the action picked.' }),
      heldOut: t.exposeBoolean('heldOut', {
        description: 'Whether the customer gets nothing, so that the effect can be measured.',
      }),
      churnProbability: t.exposeFloat('probability', { description: 'Probability to leave that was reckoned with.' }),
      probabilitySource: t.field({
        type: Source,
        description: 'Where it comes from.',
        resolve: (a) => a.probabilitySource,
      }),
      value: t.field({
        type: 'Money',
        description: 'What the customer is worth, after gross margin.',
        resolve: (a) => money(a.valueMinor, a.currency),
      }),
      cost: t.field({
        type: 'Money',
        description: 'What the action costs.',
        resolve: (a) => money(a.costMinor, a.currency),
      }),
      expectedSaved: t.field({
        type: 'Money',
        description: 'Probability to leave × save rate × value − cost.',
        resolve: (a) => money(a.savedMinor, a.currency),
      }),
      retained: t.exposeBoolean('retained', {
        nullable: true,
        description: 'Whether the customer was still there at the end of the horizon; null until it was measured.',
      }),
    }),
  });
  partField(builder, campaignPart, 'campaign', {
    type: Assignment,
    nullable: true,
    scope: SCOPE,
    description: 'What the running campaign has for this customer; null when none runs for it.',
  });
  return Assignment;
}
