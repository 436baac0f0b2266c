import type { Builder } from '../../src/core/builder/index.ts';
import { eventSubscription } from '../../src/core/events/schema.ts';
import { filterField, orderValue, partField } from '../../src/core/graph/index.ts';
import { healthChanged } from './contract.ts';
import type { HealthPart, HealthTier } from './domain/health.ts';
import type { RiskCategory, RiskIndicator } from './domain/retention-risk.ts';
import {
  type HealthPoint,
  type HealthShape,
  healthHistoryPart,
  healthOrder,
  healthPart,
  healthRangeFilter,
  healthTierFilter,
  type RiskShape,
  riskCategoryFilter,
  riskOrder,
  riskPart,
} from './parts.ts';
import type { HealthChange } from './store.ts';

const SCOPE = 'risk:read';

/** `Customer.health`, `.risk`, `.healthHistory`, and the filters and orders by them. */
export function riskSchema(builder: Builder): void {
  const Tier = builder.enumType('HealthTier', {
    description: 'Where a health score lies.',
    values: {
      HEALTHY: { description: '70 and above, unless the setting says otherwise.' },
      NEUTRAL: { description: '40 to 70.' },
      POOR: { description: 'Below 40.' },
    } as const,
  });
  const Category = builder.enumType('RiskCategory', {
    description: 'How likely a customer is to be lost. A customer comes down a category only 5 points below its edge.',
    values: {
      SECURE: { description: 'Below 25.' },
      MONITOR: { description: 'From 25.' },
      AT_RISK: { description: 'From 50.' },
      CRITICAL: { description: 'From 75.' },
    } as const,
  });
  const PartName = builder.enumType('HealthPartName', {
    description: 'What a health score is made of.',
    values: {
      USAGE_FREQUENCY: { description: 'Active days of the last 30 against the days expected.' },
      FEATURE_ADOPTION: { description: 'Features used in 90 days of those the plan has.' },
      NPS: { description: 'The last NPS answer, over 10.' },
      SUPPORT_SATISFACTION: { description: 'Mean ticket rating of 180 days, over 5.' },
      PAYMENT_HISTORY: {
        description: '1 less the overdue share of the invoices of 12 months, weighted by days late up to 60.',
      },
    } as const,
  });
  const IndicatorName = builder.enumType('RiskIndicatorName', {
    description: 'What a retention risk is made of.',
    values: {
      USAGE_DECLINE: { description: 'The last 30 days against the mean of the 90 before; 1 at a fall of 80 %.' },
      SUPPORT_FREQUENCY: { description: 'Tickets of 30 days against the own rate over 180; 1 at three times.' },
      PAYMENT_DELAY: { description: 'Days overdue now, over 30.' },
      ENGAGEMENT_DROP: { description: 'Opened messages, clicks and time in sessions, 30 days against the 90 before.' },
      PREDICTED_CHURN: { description: 'Calibrated probability to leave.' },
    } as const,
  });

  const Part = builder.objectRef<HealthPart>('HealthPart').implement({
    description: 'One part of a health score.',
    fields: (t) => ({
      name: t.field({ type: PartName, description: 'Which part.', resolve: (p) => p.name }),
      value: t.exposeFloat('value', {
        nullable: true,
        description: '0 to 1; null when nothing is known, then it is left out.',
      }),
      weight: t.exposeFloat('weight', { description: 'Its share of the score before parts are left out.' }),
      evidence: t.exposeString('evidence', { description: 'What it was reckoned from.' }),
    }),
  });
  const PartChange = builder.objectRef<HealthChange['parts'][number]>('HealthPartChange').implement({
    description: 'How a part of a health score moved.',
    fields: (t) => ({
      name: t.field({ type: PartName, description: 'Which part.', resolve: (p) => p.name }),
      from: t.exposeFloat('from', { nullable: true, description: 'Value before; null when it was not known.' }),
      to: t.exposeFloat('to', { nullable: true, description: 'Value now; null when it is not known.' }),
    }),
  });
  const Change = builder.objectRef<HealthChange & { readonly causedBy: string | null }>('HealthChange').implement({
    description: 'How a health score differs from the one before.',
    fields: (t) => ({
      delta: t.exposeFloat('delta', { description: 'Points up or down.' }),
      parts: t.field({ type: [PartChange], description: 'The move of each part.', resolve: (c) => [...c.parts] }),
      causedBy: t.id({
        nullable: true,
        description: 'The event that led to it; null when time alone did.',
        resolve: (c) => c.causedBy,
      }),
    }),
  });
  const Health = builder.objectRef<HealthShape>('Health').implement({
    description:
      'How well a customer is doing, 0 to 100, with what the score is made of and how much of that was known.',
    fields: (t) => ({
      score: t.exposeFloat('score', { description: '0 to 100.' }),
      tier: t.field({ type: Tier, description: 'Where the score lies.', resolve: (h) => h.tier }),
      coverage: t.exposeFloat('coverage', { description: 'Share of the weights that was known, 0 to 1.' }),
      parts: t.field({ type: [Part], description: 'All five parts, known or not.', resolve: (h) => h.parts }),
      change: t.field({
        type: Change,
        nullable: true,
        description: 'Since the previous score; null for the first.',
        resolve: (h) => (h.change === null ? null : { ...h.change, causedBy: h.causedBy }),
      }),
      at: t.expose('at', { type: 'DateTime', description: 'When it was reckoned.' }),
    }),
  });
  const Point = builder.objectRef<HealthPoint>('HealthPoint').implement({
    description: 'A health score of the past.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'When it was recorded.' }),
      score: t.exposeFloat('score', { nullable: true, description: '0 to 100; null when nothing was known any more.' }),
      tier: t.field({ type: Tier, nullable: true, description: 'Where it lay.', resolve: (p) => p.tier }),
    }),
  });
  const Indicator = builder.objectRef<RiskIndicator>('RiskIndicator').implement({
    description: 'One sign that a customer may leave.',
    fields: (t) => ({
      name: t.field({ type: IndicatorName, description: 'Which sign.', resolve: (i) => i.name }),
      value: t.exposeFloat('value', {
        nullable: true,
        description: '0 to 1; null when nothing is known, then it is left out.',
      }),
      weight: t.exposeFloat('weight', { description: 'Its share of the score before signs are left out.' }),
      evidence: t.exposeString('evidence', { description: 'What it was reckoned from.' }),
    }),
  });
  const Risk = builder.objectRef<RiskShape>('RetentionRisk').implement({
    description: 'How likely a customer is to be lost, 0 to 100.',
    fields: (t) => ({
      score: t.exposeFloat('score', { description: '0 to 100.' }),
      category: t.field({ type: Category, description: 'Where it lies, with hysteresis.', resolve: (r) => r.category }),
      since: t.expose('since', { type: 'DateTime', description: 'Since when it is in this category.' }),
      coverage: t.exposeFloat('coverage', { description: 'Share of the weights that was known, 0 to 1.' }),
      indicators: t.field({
        type: [Indicator],
        description: 'All five signs, known or not.',
        resolve: (r) => r.indicators,
      }),
      at: t.expose('at', { type: 'DateTime', description: 'When it was reckoned.' }),
    }),
  });

  partField(builder, healthPart, 'health', {
    type: Health,
    nullable: true,
    scope: SCOPE,
    description: 'Health score with its parts; null until something is known.',
    args: (arg) => ({ asOf: arg({ type: 'DateTime', description: 'As was known at this time; now when left out.' }) }),
  });
  partField(builder, healthHistoryPart, 'healthHistory', {
    type: [Point],
    scope: SCOPE,
    description: 'Scores of the past, newest first: one for each time it changed.',
    args: (arg) => ({
      first: arg.int({ required: true, defaultValue: 30, description: 'How many, 1 to 100.' }),
      before: arg({ type: 'DateTime', description: 'Only those recorded before this time.' }),
    }),
  });
  partField(builder, riskPart, 'risk', {
    type: Risk,
    nullable: true,
    scope: SCOPE,
    description: 'Retention risk with its indicators; null until something is known.',
    args: (arg) => ({ asOf: arg({ type: 'DateTime', description: 'As was known at this time; now when left out.' }) }),
  });

  const Range = builder.inputType('ScoreRange', {
    description: 'Scores from one to another, both included.',
    fields: (t) => ({
      min: t.float({ required: true, defaultValue: 0, description: 'Lowest score.' }),
      max: t.float({ required: true, defaultValue: 100, description: 'Highest score.' }),
    }),
  });
  filterField<readonly RiskCategory[]>(builder, 'riskCategory', riskCategoryFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: [Category], description: 'In one of these risk categories.' }),
  });
  filterField<readonly HealthTier[]>(builder, 'healthTier', healthTierFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: [Tier], description: 'In one of these health tiers.' }),
  });
  filterField<{ readonly min: number; readonly max: number }>(builder, 'health', healthRangeFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: Range, description: 'Health score within these bounds.' }),
  });
  eventSubscription(builder, {
    field: 'healthChanged',
    description: 'Moves of health scores and retention risk.',
    scope: SCOPE,
    definition: healthChanged,
    type: 'HealthChanged',
    args: builder.args((t) => ({
      categories: t.field({ type: [Category], description: 'Only moves into or within these risk categories.' }),
    })),
    accepts: (event, { categories }) => {
      const { riskCategory } = event.payload;
      return (
        categories === null || categories === undefined || (riskCategory !== null && categories.includes(riskCategory))
      );
    },
    fields: (t) => ({
      healthScore: t.float({
        nullable: true,
        description: 'Health now; null when nothing is known.',
        resolve: (event) => event.payload.healthScore,
      }),
      previousHealthScore: t.float({
        nullable: true,
        description: 'Health before.',
        resolve: (event) => event.payload.previousHealthScore,
      }),
      healthTier: t.field({
        type: Tier,
        nullable: true,
        description: 'Tier now.',
        resolve: (event) => event.payload.healthTier,
      }),
      previousHealthTier: t.field({
        type: Tier,
        nullable: true,
        description: 'Tier before.',
        resolve: (event) => event.payload.previousHealthTier,
      }),
      riskScore: t.float({
        nullable: true,
        description: 'Retention risk now.',
        resolve: (event) => event.payload.riskScore,
      }),
      riskCategory: t.field({
        type: Category,
        nullable: true,
        description: 'Risk category now.',
        resolve: (event) => event.payload.riskCategory,
      }),
      previousRiskCategory: t.field({
        type: Category,
        nullable: true,
        description: 'Risk category before.',
        resolve: (event) => event.payload.previousRiskCategory,
      }),
    }),
  });
  orderValue(builder, 'HEALTH', healthOrder, {
    scope: SCOPE,
    description: 'By health score; customers of whom nothing is known last.',
  });
  orderValue(builder, 'RISK', riskOrder, {
    scope: SCOPE,
    description: 'By risk score; customers of whom nothing is known last.',
  });
}
