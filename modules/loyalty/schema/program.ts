import type { Builder } from '../../../src/core/builder/index.ts';
import type { ProgrammeFacts } from '../contract.ts';
import type { EarningCap, EarningRule } from '../domain/rules.ts';
import { TIER_KEYS } from '../domain/tiers.ts';
import { capPeriodType, termsTypes } from '../programme/schema/terms.ts';
import type { LoyaltyService } from '../service.ts';
import type { TierTypes } from './tiers.ts';

/** `Query.loyaltyProgram`: what the business offers, and how many take it up. */
export function programSchema(builder: Builder, service: LoyaltyService, tiers: TierTypes) {
  const Period = capPeriodType(builder);
  const Cap = builder.objectRef<EarningCap>('EarningCap').implement({
    description: 'How often a rule gives points to one customer.',
    fields: (t) => ({
      times: t.exposeInt('times', { description: 'How often.' }),
      per: t.field({ type: Period, description: 'In which period.', resolve: (cap) => cap.per }),
    }),
  });
  const RulePoints = builder
    .objectRef<{ tier: (typeof TIER_KEYS)[number]; points: number | null }>('EarningRulePoints')
    .implement({
      description: 'What a rule gives to the members of a tier.',
      fields: (t) => ({
        tier: t.field({ type: tiers.Key, description: 'The tier held when it is earned.', resolve: (p) => p.tier }),
        points: t.exposeInt('points', {
          nullable: true,
          description: 'Points each time; null: not open to this tier.',
        }),
      }),
    });
  const { Trigger, OrderPoints, Campaign, Stacking, Qualification, QualificationInput } = termsTypes(
    builder,
    tiers,
    Period,
  );
  const Rule = builder.objectRef<EarningRule>('EarningRule').implement({
    description: 'Something that earns points. Rules are data: the setting loyalty.earningRules.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'What `awardPoints` names it by.' }),
      name: t.exposeString('name', { description: 'For people.' }),
      description: t.exposeString('description', { description: 'What has to happen.' }),
      points: t.field({
        type: [RulePoints],
        description: 'Points by tier, lowest first.',
        resolve: (rule) => TIER_KEYS.map((tier) => ({ tier, points: rule.points[tier] })),
      }),
      trigger: t.expose('trigger', {
        type: Trigger,
        nullable: true,
        description: 'Events by which it gives points by itself; null: only when it is asked for.',
      }),
      cap: t.field({
        type: Cap,
        nullable: true,
        description: 'How often at most; null: no cap.',
        resolve: (r) => r.cap,
      }),
      validFrom: t.expose('validFrom', {
        type: 'DateTime',
        nullable: true,
        description: 'First instant at which it gives points; null: always did.',
      }),
      validUntil: t.expose('validUntil', {
        type: 'DateTime',
        nullable: true,
        description: 'First instant at which it no longer does; null: no end.',
      }),
    }),
  });
  const TierMembers = builder.objectRef<ProgrammeFacts['byTier'][number]>('LoyaltyTierMembers').implement({
    description: 'How many members hold a tier.',
    fields: (t) => ({
      tier: t.field({
        type: tiers.Tier,
        description: 'The tier.',
        resolve: (count, _args, context) => tiers.byKey(context, count.tier),
      }),
      members: t.exposeInt('members', { description: 'How many.' }),
    }),
  });
  const Statistics = builder.objectRef<ProgrammeFacts>('LoyaltyStatistics').implement({
    description: 'The programme in numbers, counted now.',
    fields: (t) => ({
      members: t.exposeInt('members', { description: 'Customers who joined.' }),
      participation: t.exposeFloat('participation', {
        nullable: true,
        description: 'Share of the members who ever had points, 0 to 1; null without members.',
      }),
      outstandingPoints: t.expose('outstandingPoints', {
        type: 'SafeInt',
        description: 'Sum of all balances: what the business owes in points.',
      }),
      byTier: t.field({ type: [TierMembers], description: 'By tier, lowest first.', resolve: (s) => [...s.byTier] }),
    }),
  });
  const Program = builder.objectRef<Awaited<ReturnType<LoyaltyService['program']>>>('LoyaltyProgram').implement({
    description: 'The loyalty programme as it is in force.',
    fields: (t) => ({
      tiers: t.field({ type: [tiers.Tier], description: 'Lowest first.', resolve: (program) => [...program.tiers] }),
      rules: t.field({ type: [Rule], description: 'What earns points.', resolve: (program) => [...program.rules] }),
      orderPoints: t.field({ type: OrderPoints, description: 'What orders earn.', resolve: (p) => p.orderPoints }),
      campaigns: t.field({
        type: [Campaign],
        description: 'Campaigns that run, will run or have run: the setting loyalty.campaigns.',
        resolve: (program) => [...program.campaigns],
      }),
      stacking: t.field({
        type: Stacking,
        description: 'What becomes of several campaigns at once.',
        resolve: (program) => program.stacking,
      }),
      qualification: t.field({
        type: Qualification,
        description: 'Which earnings count for the tier.',
        resolve: (program) => program.qualification,
      }),
      autoEnrol: t.exposeBoolean('autoEnrol', {
        description: 'Whether customers join with the first points they earn.',
      }),
      statistics: t.field({
        type: Statistics,
        description: 'How many take part.',
        complexity: 20,
        resolve: () => service.programme(),
      }),
    }),
  });
  builder.queryField('loyaltyProgram', (t) =>
    t.field({
      type: Program,
      description: 'The loyalty programme: tiers with their benefits, what earns points, and how many take part.',
      authScopes: { scope: 'loyalty:read' },
      resolve: () => service.program(),
    }),
  );
  return { Period, Campaign, QualificationInput };
}

export type ProgramTypes = ReturnType<typeof programSchema>;
