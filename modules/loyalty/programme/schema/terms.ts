import type { Builder } from '../../../../src/core/builder/index.ts';
import { TIER_KEYS, type TierKey } from '../../domain/tiers.ts';
import type { TierTypes } from '../../schema/tiers.ts';
import type { Campaign as CampaignShape } from '../domain/campaigns.ts';
import type { OrderPoints as OrderPointsShape } from '../domain/orders.ts';
import type { EarningTrigger, EventCondition } from '../domain/triggers.ts';
import type { TierQualification } from '../settings.ts';

/** The periods of caps. */
export const capPeriodType = (builder: Builder) =>
  builder.enumType('CapPeriod', {
    description: 'A calendar period in the time zone of the business.',
    values: {
      DAY: { description: 'Midnight to midnight.' },
      WEEK: { description: 'From Monday.' },
      MONTH: { description: 'From the first.' },
      QUARTER: { description: 'From January, April, July and October.' },
      YEAR: { description: 'From the first of January.' },
      LIFETIME: { description: 'For good: it never begins anew.' },
    } as const,
  });

/** The terms of the programme as the API shows them: triggers, orders, campaigns, qualification. */
export function termsTypes(builder: Builder, tiers: TierTypes, Period: ReturnType<typeof capPeriodType>) {
  const Comparison = builder.enumType('EventComparison', {
    description: 'How a condition on an event compares. What the event does not carry keeps no condition.',
    values: {
      EQ: { description: 'Is the same.' },
      NE: { description: 'Is there and another.' },
      GT: { description: 'Is greater.' },
      GTE: { description: 'Is greater or the same.' },
      LT: { description: 'Is less.' },
      LTE: { description: 'Is less or the same.' },
      IN: { description: 'Is in the list.' },
      EXISTS: { description: 'Is there.' },
    } as const,
  });
  const Condition = builder.objectRef<EventCondition>('EventCondition').implement({
    description: 'A condition on an event of the stream.',
    fields: (t) => ({
      field: t.exposeString('field', { description: 'The event’s "value", or "properties." and a name.' }),
      is: t.field({ type: Comparison, description: 'How it compares.', resolve: (condition) => condition.is }),
      to: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What it is compared with: a list for IN, null for EXISTS.',
        resolve: (condition) => condition.to ?? null,
      }),
    }),
  });
  const Trigger = builder.objectRef<EarningTrigger>('EarningTrigger').implement({
    description: 'Events of the stream by which a rule gives points. Imported history triggers nothing.',
    fields: (t) => ({
      event: t.exposeString('event', { description: 'Name of the event.' }),
      where: t.field({
        type: [Condition],
        description: 'Conditions that all have to hold.',
        resolve: (trigger) => [...trigger.where],
      }),
    }),
  });
  const Multiplier = builder
    .objectRef<{ readonly tier: TierKey; readonly multiplier: number }>('TierMultiplier')
    .implement({
      description: 'What points are multiplied by for the members of a tier.',
      fields: (t) => ({
        tier: t.field({ type: tiers.Key, description: 'The tier.', resolve: (one) => one.tier }),
        multiplier: t.exposeFloat('multiplier', { description: '1 leaves them as they are.' }),
      }),
    });
  const OrderCap = builder.objectRef<NonNullable<OrderPointsShape['cap']>>('OrderPointsCap').implement({
    description: 'The most points of all orders of a customer in a period.',
    fields: (t) => ({
      points: t.expose('points', { type: 'SafeInt', description: 'How many.' }),
      per: t.field({ type: Period, description: 'In which period.', resolve: (cap) => cap.per }),
    }),
  });
  const OrderPoints = builder.objectRef<OrderPointsShape>('OrderPoints').implement({
    description: 'What orders earn.',
    fields: (t) => ({
      enabled: t.exposeBoolean('enabled', { description: 'Whether orders earn points.' }),
      pointsPerUnit: t.exposeInt('pointsPerUnit', {
        description: 'Points per whole unit of the reporting currency.',
      }),
      minimumUnits: t.exposeInt('minimumUnits', { description: 'Orders below so many whole units earn nothing.' }),
      multipliers: t.field({
        type: [Multiplier],
        description: 'By tier, lowest first.',
        resolve: ({ multipliers }) => TIER_KEYS.map((tier) => ({ tier, multiplier: multipliers[tier] })),
      }),
      maxPointsPerOrder: t.expose('maxPointsPerOrder', {
        type: 'SafeInt',
        nullable: true,
        description: 'The most points of one order, campaigns included; null: no bound.',
      }),
      cap: t.field({
        type: OrderCap,
        nullable: true,
        description: 'The most points of a customer’s orders in a period; null: no cap.',
        resolve: (terms) => terms.cap,
      }),
    }),
  });
  const Stacking = builder.enumType('CampaignStacking', {
    description: 'What becomes of several campaigns at once.',
    values: {
      BEST: { description: 'The best one counts, the others do not.' },
      ADD: { description: 'What each adds is added: two doublings triple.' },
    } as const,
  });
  const list = (values: readonly string[] | null) => (values === null ? null : [...values]);
  const Campaign = builder.objectRef<CampaignShape>('LoyaltyCampaign').implement({
    description:
      'More points for a while. A customer has to be in all lists that are given; a list that is null asks for nothing.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'Its stable name.' }),
      name: t.exposeString('name', { description: 'For people.' }),
      validFrom: t.expose('validFrom', { type: 'DateTime', description: 'First instant at which it counts.' }),
      validUntil: t.expose('validUntil', {
        type: 'DateTime',
        description: 'First instant at which it no longer does.',
      }),
      multiplier: t.exposeFloat('multiplier', { description: 'What points are multiplied by: 2 doubles.' }),
      rules: t.stringList({
        nullable: true,
        description: 'Keys of the rules it is for, order_placed being that of orders; null: all.',
        resolve: (campaign) => list(campaign.rules),
      }),
      tiers: t.field({
        type: [tiers.Key],
        nullable: true,
        description: 'For members who hold one of these tiers.',
        resolve: ({ segment }) => (segment.tiers === null ? null : [...segment.tiers]),
      }),
      businessSegments: t.stringList({
        nullable: true,
        description: 'For customers of these business segments.',
        resolve: ({ segment }) => list(segment.businessSegments),
      }),
      plans: t.stringList({
        nullable: true,
        description: 'For customers with a running subscription to one of these plans.',
        resolve: ({ segment }) => list(segment.plans),
      }),
      rfmSegments: t.stringList({
        nullable: true,
        description: 'For customers of these RFM segments.',
        resolve: ({ segment }) => list(segment.rfmSegments),
      }),
    }),
  });
  const Window = builder.enumType('QualificationWindowKind', {
    description: 'Which earnings count for the tier. Months and years are those of the business’s time zone.',
    values: {
      LIFETIME: { description: 'All that was ever earned.' },
      ROLLING_MONTHS: { description: 'What was earned in the running month and so many before it.' },
      CALENDAR_YEAR: {
        description: 'What was earned in the running year; that of the year before upholds a tier until the year ends.',
      },
    } as const,
  });
  const Qualification = builder.objectRef<TierQualification>('TierQualification').implement({
    description: 'Which earnings count for the tier, and how long a tier is kept that they no longer give.',
    fields: (t) => ({
      window: t.field({ type: Window, description: 'Which count.', resolve: ({ window }) => window.kind }),
      months: t.int({
        nullable: true,
        description: 'How many months, the running one included, when the window is ROLLING_MONTHS.',
        resolve: ({ window }) => (window.kind === 'ROLLING_MONTHS' ? window.months : null),
      }),
      graceDays: t.exposeInt('graceDays', { description: 'Days between the warning and the fall.' }),
    }),
  });
  const QualificationInput = builder.inputType('TierQualificationInput', {
    description: 'Which earnings are to count for the tier.',
    fields: (t) => ({
      window: t.field({ type: Window, required: true, description: 'Which count.' }),
      months: t.int({ description: 'How many months, 1 to 60; for ROLLING_MONTHS, and needed there.' }),
      graceDays: t.int({ required: true, description: 'Days between the warning and the fall, 0 to 366.' }),
    }),
  });
  return { Trigger, OrderPoints, Campaign, Stacking, Qualification, QualificationInput };
}

export type TermsTypes = ReturnType<typeof termsTypes>;
