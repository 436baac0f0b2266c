import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  encodeGlobalId,
  isId,
  pageOf,
} from '../../../../src/core/builder/index.ts';
import { InvalidInput } from '../../../../src/core/errors.ts';
import type { Population } from '../domain/candidates.ts';
import { type AllocationService, liftOf } from '../service.ts';
import type { ActionPicks, AllocationRow } from '../store.ts';
import { type AssignmentShown, assignmentType, type LiftShown, liftType, sumsType } from './lift.ts';

export type AllocationTypes = ReturnType<typeof allocationType>;

interface ActionShown {
  readonly action: ActionPicks;
  readonly plan: AllocationRow;
}

const liftShown = (plan: AllocationRow, action: string | null): LiftShown => ({
  ...liftOf(plan, action),
  currency: plan.currency,
  level: plan.terms.level,
});

/** An opaque cursor's id must be one, before it meets a uuid column. */
export function cursorId(value: unknown): string {
  if (typeof value === 'string' && isId(value)) return value;
  throw new InvalidInput('The cursor does not fit this list. Give an `endCursor` of the same query.', {
    path: ['after'],
  });
}

/** Declares `Allocation` and what it is made of. */
export function allocationType(builder: Builder, service: AllocationService) {
  const Lift = liftType(builder);
  const Sums = sumsType(builder);
  const Assignment = assignmentType(builder);
  const State = builder.enumType('AllocationState', {
    description: 'How far a plan has come.',
    values: {
      DRAFT: { description: 'Made, and nothing is done yet.' },
      CONFIRMED: { description: 'A campaign: its actions are to be carried out, until its horizon is over.' },
      MEASURED: { description: 'The horizon is over, and the effect was measured.' },
      CANCELLED: { description: 'Called off.' },
    } as const,
  });
  const Action = builder.objectRef<ActionShown>('AllocationAction').implement({
    description: 'An action of a plan, with what the plan reckons and what was measured.',
    fields: (t) => ({
      key: t.string({ description: 'Its key in the setting value.actions.', resolve: ({ action }) => action.key }),
      name: t.string({ description: 'Its name.', resolve: ({ action }) => action.name }),
      cost: t.field({
        type: 'Money',
        description: 'What it costs per customer.',
        resolve: ({ action, plan }) => ({ amountMinor: action.costMinor, currency: plan.currency }),
      }),
      saveRate: t.float({
        description: 'Share of those who would leave that is reckoned to stay because of it.',
        resolve: ({ action }) => action.saveRate,
      }),
      capacity: t.int({
        nullable: true,
        description: 'Customers it can serve in this plan; null: any number.',
        resolve: ({ action }) => action.capacity,
      }),
      basis: t.string({ description: 'Where these numbers come from.', resolve: ({ action }) => action.basis }),
      picked: t.field({
        type: Sums,
        description: 'Customers it was picked for, those held out among them.',
        resolve: ({ action, plan }) => ({ ...action.picked, currency: plan.currency }),
      }),
      heldOut: t.field({
        type: Sums,
        description: 'Those held out.',
        resolve: ({ action, plan }) => ({ ...action.heldOut, currency: plan.currency }),
      }),
      lift: t.field({
        type: Lift,
        description: 'Its measured effect.',
        resolve: ({ action, plan }) => liftShown(plan, action.key),
      }),
    }),
  });
  const PopulationType = builder.objectRef<Population>('AllocationPopulation').implement({
    description: 'Whom a plan looked at, and whom it left out, each for the first reason that holds.',
    fields: (t) => ({
      valued: t.exposeInt('valued', { description: 'Customers of whom a value is expected: all that were looked at.' }),
      gone: t.exposeInt('gone', { description: 'Left out: they have left already.' }),
      inCampaign: t.exposeInt('inCampaign', { description: 'Left out: a running campaign has them.' }),
      withoutProbability: t.exposeInt('withoutProbability', {
        description: 'Left out: there is neither a prediction for them nor an `assumedProbability`.',
      }),
      notWorthwhile: t.exposeInt('notWorthwhile', {
        description: 'Left out: no action is expected to save more of them than it costs.',
      }),
      predicted: t.exposeInt('predicted', { description: 'Candidates whose probability to leave was predicted.' }),
      assumed: t.exposeInt('assumed', { description: 'Candidates whose probability to leave was assumed.' }),
    }),
  });
  const Assignments = connectionType<AssignmentShown>(builder, {
    name: 'AllocationAssignment',
    node: Assignment,
    totalCount: true,
  });
  const Allocation = builder.objectRef<AllocationRow>('Allocation');
  Allocation.implement({
    description:
      'A budget allocated: which customer gets which action, what that is expected to save, and how far from the best it can be. Confirmed, it is a campaign.',
    fields: (t) => {
      const money = (description: string, amountOf: (plan: AllocationRow) => number) =>
        t.field({
          type: 'Money',
          description,
          resolve: (plan) => ({ amountMinor: amountOf(plan), currency: plan.currency }),
        });
      const gapOf = ({ totals }: AllocationRow) => totals.boundMinor - totals.picked.savedMinor;
      return {
        id: t.id({ description: 'Global id.', resolve: (p) => encodeGlobalId('Allocation', p.id) }),
        name: t.exposeString('name', { description: 'Its name.' }),
        state: t.field({ type: State, description: 'How far it has come.', resolve: (p) => p.state }),
        createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
        confirmedAt: t.expose('confirmedAt', {
          type: 'DateTime',
          nullable: true,
          description: 'When it was confirmed.',
        }),
        dueAt: t.expose('dueAt', {
          type: 'DateTime',
          nullable: true,
          description: 'When its horizon is over; null until it is confirmed.',
        }),
        measuredAt: t.expose('measuredAt', { type: 'DateTime', nullable: true, description: 'When it was measured.' }),
        cancelledAt: t.expose('cancelledAt', {
          type: 'DateTime',
          nullable: true,
          description: 'When it was called off.',
        }),
        budget: money('What could be spent.', (p) => p.budgetMinor),
        horizonDays: t.int({
          description: 'Days from confirmation to measurement.',
          resolve: (p) => p.terms.horizonDays,
        }),
        assumedProbability: t.float({
          nullable: true,
          description: 'Probability to leave of customers without a prediction; null: they were left out.',
          resolve: (p) => p.terms.assumedProbability,
        }),
        valueMethod: t.string({
          description: 'The ValueMethod by which customers were valued.',
          resolve: (p) => p.terms.valueMethod,
        }),
        grossMargin: t.float({
          description: 'Share of that value which counts, of the setting business.profile.',
          resolve: (p) => p.terms.grossMargin,
        }),
        population: t.field({
          type: PopulationType,
          description: 'Whom it looked at and left out.',
          resolve: (p) => p.population,
        }),
        actions: t.field({
          type: [Action],
          description: 'Its actions.',
          resolve: (plan) => plan.actions.map((action) => ({ action, plan })),
        }),
        picked: t.field({
          type: Sums,
          description: 'Everybody who was picked, those held out among them: what the bound is to be compared with.',
          resolve: (p) => ({ ...p.totals.picked, currency: p.currency }),
        }),
        heldOut: t.field({
          type: Sums,
          description: 'Those held out; their cost is not spent.',
          resolve: (p) => ({ ...p.totals.heldOut, currency: p.currency }),
        }),
        bound: money(
          'No allocation of this budget is expected to save more: the optimum of the relaxed problem, from above.',
          (p) => p.totals.boundMinor,
        ),
        gap: money('The bound less what the picks are expected to save: they are at most so far from the best.', gapOf),
        gapShare: t.float({
          nullable: true,
          description: 'The gap as a share of the bound; null when nothing can be saved.',
          resolve: (p) => (p.totals.boundMinor === 0 ? null : gapOf(p) / p.totals.boundMinor),
        }),
        holdoutShare: t.float({
          description: 'Share of the picked customers that is held out.',
          resolve: (p) => p.terms.holdoutShare,
        }),
        stratified: t.boolean({
          description: 'Whether each action gives that share.',
          resolve: (p) => p.terms.stratified,
        }),
        seed: t.field({ type: 'SafeInt', description: 'Seed of the draw.', resolve: (p) => p.terms.seed }),
        lift: t.field({
          type: Lift,
          description: 'The measured effect of the whole campaign.',
          resolve: (p) => liftShown(p, null),
        }),
        assignments: t.field({
          type: Assignments,
          description: 'Who was picked, the most expected saved value first. Customers erased since are missing.',
          args: {
            ...connectionArgs(t.arg),
            action: t.arg.string({ description: 'Only those of this action.' }),
            heldOut: t.arg.boolean({ description: 'Only those held out, or only the others.' }),
          },
          complexity: ({ first }) => ({ field: 2, multiplier: first ?? 20 }),
          resolve: async (plan, { first, after, action, heldOut }) => {
            const limit = checkFirst(first) + 1;
            const filter = { action, heldOut };
            const rows = await service.assignments(plan.id, filter, { after: assignmentCursor(after), limit });
            return pageOf(
              rows.map((row) => ({ ...row, planId: plan.id, currency: plan.currency })),
              {
                first,
                after,
                cursorOf: (row) => [row.savedMinor, row.customerId],
                totalCount: () => service.countAssignments(plan.id, filter),
              },
            );
          },
        }),
      };
    },
  });
  return { Allocation, State };
}

function assignmentCursor(after: string | null | undefined): { savedMinor: number; customerId: string } | null {
  if (after === null || after === undefined) return null;
  const [savedMinor, id] = decodeCursor(after, 2);
  const customerId = cursorId(id);
  if (!Number.isSafeInteger(savedMinor)) cursorId(null);
  return { savedMinor: savedMinor as number, customerId };
}
