import type { Builder } from '../../../../src/core/builder/index.ts';
import { customerRef, customerResolver } from '../../../../src/core/graph/index.ts';
import type { ProgramTypes } from '../../schema/program.ts';
import type { TierTypes } from '../../schema/tiers.ts';
import type { LoyaltyService } from '../../service.ts';
import type { SimulatedCap, SimulatedEarning, Simulation } from '../service-simulate.ts';

/** `Query.simulateEarning`. */
export function simulationSchema(
  builder: Builder,
  service: LoyaltyService,
  tiers: TierTypes,
  { Period, Campaign }: ProgramTypes,
): void {
  const Cap = builder.objectRef<SimulatedCap>('SimulatedCap').implement({
    description: 'A cap that a rule counts against, in times, or in points for orders.',
    fields: (t) => ({
      per: t.field({ type: Period, description: 'The period it counts in.', resolve: (cap) => cap.per }),
      limit: t.expose('limit', { type: 'SafeInt', description: 'How many times, or points of orders.' }),
      used: t.expose('used', { type: 'SafeInt', description: 'Used in the period before this.' }),
      left: t.field({
        type: 'SafeInt',
        description: 'Left in the period after this.',
        resolve: (cap) => Math.max(cap.limit - cap.usedAfter, 0),
      }),
      resetsAt: t.field({
        type: 'DateTime',
        description: 'When the next period begins; the end of the year 9999 for a cap that holds for good.',
        resolve: (cap) => cap.period.end,
      }),
    }),
  });
  const Earning = builder.objectRef<SimulatedEarning>('SimulatedEarning').implement({
    description: 'What one rule would give.',
    fields: (t) => ({
      rule: t.exposeString('rule', { description: 'Key of the rule; order_placed is that of orders.' }),
      ruleVersion: t.exposeInt('ruleVersion', {
        description: 'Version of the setting that holds the rule; 0: as it was shipped.',
      }),
      points: t.expose('points', { type: 'SafeInt', description: 'Points it would give.' }),
      base: t.expose('base', { type: 'SafeInt', description: 'Points before campaigns.' }),
      campaigns: t.field({
        type: [Campaign],
        description: 'Campaigns that have a part in it.',
        resolve: (earning) => [...earning.campaigns],
      }),
      refusalCode: t.string({
        nullable: true,
        description: 'Code of the error by which it would give nothing, e.g. LOYALTY_EARNING_CAP_REACHED.',
        resolve: ({ refusal }) => refusal?.code ?? null,
      }),
      refusalMessage: t.string({
        nullable: true,
        description: 'The same, for people.',
        resolve: ({ refusal }) => refusal?.message ?? null,
      }),
      cap: t.field({
        type: Cap,
        nullable: true,
        description: 'The cap it counts against; null: none.',
        resolve: (earning) => earning.cap,
      }),
    }),
  });
  const Result = builder.objectRef<Simulation>('EarningSimulation').implement({
    description: 'What would be earned, rule by rule. Nothing was written.',
    fields: (t) => ({
      customer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'Who would earn.',
        resolve: customerResolver(builder, (simulation: Simulation) => simulation.customerId),
      }),
      at: t.expose('at', { type: 'DateTime', description: 'The time it was reckoned for.' }),
      points: t.expose('points', { type: 'SafeInt', description: 'Points in all.' }),
      tierBefore: t.field({
        type: tiers.Tier,
        description: 'The tier before.',
        resolve: (simulation, _args, context) => tiers.byKey(context, simulation.tierBefore),
      }),
      tierAfter: t.field({
        type: tiers.Tier,
        description: 'The tier after.',
        resolve: (simulation, _args, context) => tiers.byKey(context, simulation.tierAfter),
      }),
      earnings: t.field({
        type: [Earning],
        description:
          'By rule, in the order in which they would give points. Empty when nothing answers: no rule is triggered by the event, or orders earn nothing, or not below some amount.',
        resolve: (simulation) => [...simulation.earnings],
      }),
    }),
  });
  const EventInput = builder.inputType('SimulatedEventInput', {
    description: 'An event of the stream as it might come.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'Its name, as the catalogue has it.' }),
      value: t.float({ description: 'Its value.' }),
      properties: t.field({ type: 'JSONObject', description: 'Its properties.' }),
    }),
  });
  builder.queryField('simulateEarning', (t) =>
    t.field({
      type: Result,
      description:
        'What a customer would earn by a rule, an event or an order, and why: which rule and campaign give what, and what of the caps is used and left. Decided as an award is; writes nothing.',
      authScopes: { scope: 'loyalty:read' },
      complexity: { field: 10 },
      args: {
        customerId: t.arg.globalID({ required: true, for: customerRef(builder), description: 'Who would earn.' }),
        rule: t.arg.string({ description: 'Key of an earning rule.' }),
        count: t.arg.int({ description: 'How often the rule applies; 1 when left out.' }),
        event: t.arg({ type: EventInput, description: 'An event, by which rules may be triggered.' }),
        orderAmountMinor: t.arg({
          type: 'SafeInt',
          description: 'An order of this amount, in minor units of the reporting currency.',
        }),
        at: t.arg({ type: 'DateTime', description: 'When; now when left out. May lie ahead.' }),
      },
      resolve: (_root, { customerId, event, ...args }, context) =>
        service.simulateEarning(context.call, {
          ...args,
          customerId: customerId.id,
          event:
            event === null || event === undefined
              ? null
              : { name: event.name, value: event.value?.toString() ?? null, properties: event.properties ?? {} },
        }),
    }),
  );
}
