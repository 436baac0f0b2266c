import { type Builder, type PeriodShape, periodInput, periodType } from '../../../src/core/builder/index.ts';
import { InvalidInput } from '../../../src/core/errors.ts';
import { customerResolver } from '../../../src/core/graph/index.ts';
import type { TierTypes } from '../schema/tiers.ts';
import type { Breakage } from './domain/breakage.ts';
import type { CohortCell, MemberCohort } from './domain/cohorts.ts';
import type { Flows, Stock } from './domain/flows.ts';
import type { LoyaltyReport, ReportMonth, TierShare } from './model.ts';
import type { Earner } from './queries.ts';
import { COHORTS_MAX, DEFAULT_COHORTS, type ReportService, TOP_EARNERS } from './service.ts';

const SCOPE = 'loyalty:read';

/** `Query.loyaltyReport`. */
export const reportSchema =
  (service: ReportService) =>
  (builder: Builder, tiers: TierTypes): void => {
    const { Points, Holdings } = pointTypes(builder);
    const { Cohort, Forecast } = outlookTypes(builder);
    const Share = builder.objectRef<TierShare>('LoyaltyTierShare').implement({
      description: 'Members who hold a tier now.',
      fields: (t) => ({
        tier: t.field({
          type: tiers.Tier,
          description: 'The tier.',
          resolve: (share, _args, context) => tiers.byKey(context, share.tier),
        }),
        members: t.exposeInt('members', { description: 'How many.' }),
        share: t.exposeFloat('share', { nullable: true, description: 'Of all members now; null without members.' }),
      }),
    });
    const EarnerType = builder.objectRef<Earner>('LoyaltyEarner').implement({
      description: 'A member who earned many points.',
      fields: (t) => ({
        customer: t.field({
          type: 'Customer',
          nullable: true,
          description: 'The customer; null when it is known no more.',
          resolve: customerResolver(builder, (earner: Earner) => earner.customerId),
        }),
        earned: t.expose('earned', {
          type: 'SafeInt',
          description: 'Points earned in the period, without those taken back.',
        }),
      }),
    });
    const Activity = builder.objectRef<Awaited<ReturnType<LoyaltyReport['activity']>>>('LoyaltyActivity').implement({
      description: 'Who took part in a period.',
      fields: (t) => ({
        participants: t.exposeInt('participants', { description: 'Members who earned or redeemed points.' }),
        participation: t.exposeFloat('participation', {
          nullable: true,
          description: 'participants / members at the end; null without members.',
        }),
        topEarners: t.field({
          type: [EarnerType],
          description: `Those who earned most, at most ${TOP_EARNERS}.`,
          complexity: { field: 1, multiplier: TOP_EARNERS },
          resolve: (activity) => [...activity.earners],
        }),
      }),
    });
    const Month = builder.objectRef<ReportMonth>('LoyaltyReportMonth').implement({
      description: 'A calendar month of the period, or the part of it that lies in the period.',
      fields: (t) => ({
        from: t.expose('from', { type: 'LocalDate', description: 'Its first day.' }),
        points: t.field({ type: Points, description: 'What it brought.', resolve: (m) => m.flows }),
        end: t.field({ type: Holdings, description: 'What there was at its end.', resolve: (m) => m.end }),
        members: t.exposeInt('members', { description: 'Members at its end.' }),
      }),
    });
    const Report = builder.objectRef<LoyaltyReport>('LoyaltyReport').implement({
      description:
        'The programme in a period, by the time at which things were recorded. Sums are those of the ledger, to the point: what there was at the start and what the period brought is what there was at its end.',
      fields: (t) => ({
        period: t.field({ type: periodType(builder), description: 'The days.', resolve: (r): PeriodShape => r.days }),
        customers: t.exposeInt('customers', { description: 'Customers now, members or not.' }),
        members: t.exposeInt('members', { description: 'Members at the end of the period, or now.' }),
        newMembers: t.exposeInt('newMembers', { description: 'Customers who joined in the period.' }),
        tiers: t.field({
          type: [Share],
          description: 'Members by tier now, lowest first.',
          resolve: (r) => [...r.tiers],
        }),
        points: t.field({ type: Points, description: 'What the period brought.', resolve: (r) => r.flows }),
        start: t.field({ type: Holdings, description: 'What there was at its start.', resolve: (r) => r.start }),
        end: t.field({ type: Holdings, description: 'What there was at its end, or is now.', resolve: (r) => r.end }),
        averagePoints: t.exposeFloat('averagePoints', {
          nullable: true,
          description: 'Points outstanding at the end / members at the end; null without members.',
        }),
        redemptionRate: t.exposeFloat('redemptionRate', {
          nullable: true,
          description: '(redeemed - returned) / issued in the period; null when nothing was issued.',
        }),
        liability: t.field({
          type: 'Money',
          nullable: true,
          description:
            'Points outstanding at the end in money, by the setting loyalty.pointValue; null when it names no value.',
          resolve: (r) => r.liability,
        }),
        activity: t.field({
          type: Activity,
          description: 'Who took part in the period.',
          complexity: 20,
          resolve: (r) => r.activity(),
        }),
        months: t.field({ type: [Month], description: 'Month by month.', resolve: (r) => [...r.months] }),
        breakage: t.field({
          type: Forecast,
          description: 'Which share of the points outstanding now will never be redeemed.',
          complexity: 20,
          resolve: (r) => r.breakage(),
        }),
        cohorts: t.field({
          type: [Cohort],
          description: 'Members by the month in which they joined, the oldest first, until the end of the period.',
          args: {
            months: t.arg.int({
              required: true,
              defaultValue: DEFAULT_COHORTS,
              description: `How many months, 1 to ${COHORTS_MAX}.`,
            }),
          },
          complexity: ({ months }) => ({ field: 20, multiplier: months ?? DEFAULT_COHORTS }),
          resolve: async (r, { months }) => {
            if (months < 1 || months > COHORTS_MAX) {
              const path = ['months'];
              throw new InvalidInput(`"months" is ${months}; it must be between 1 and ${COHORTS_MAX}.`, { path });
            }
            return [...(await r.cohorts(months))];
          },
        }),
        csvPath: t.string({
          description: 'Path of the same report as a CSV file, to be fetched from this server with the same key.',
          resolve: ({ days }) => `/loyalty/report.csv?from=${days.from}&to=${days.to}`,
        }),
      }),
    });
    builder.queryField('loyaltyReport', (t) =>
      t.field({
        type: Report,
        description: 'Report of the loyalty programme: members, points, liability, breakage and cohorts.',
        authScopes: { scope: SCOPE },
        complexity: 20,
        args: { period: t.arg({ type: periodInput(builder), required: true, description: 'The days.' }) },
        resolve: (_root, { period }) => service.report(period),
      }),
    );
  };

function pointTypes(builder: Builder) {
  const Points = builder.objectRef<Flows>('LoyaltyPointFlows').implement({
    description:
      'Points by what moved them: issued + returned - redeemed - expired - reversed + adjusted is what holdings (outstanding - owed + unclaimable) changed by.',
    fields: (t) => ({
      issued: t.expose('issued', { type: 'SafeInt', description: 'Earned, also where that paid a debt.' }),
      returned: t.expose('returned', {
        type: 'SafeInt',
        description: 'Given back, because what took them was reversed.',
      }),
      redeemed: t.expose('redeemed', { type: 'SafeInt', description: 'Spent.' }),
      expired: t.expose('expired', { type: 'SafeInt', description: 'Lapsed.' }),
      reversed: t.expose('reversed', {
        type: 'SafeInt',
        description: 'Taken back, because what earned them was reversed.',
      }),
      adjusted: t.expose('adjusted', {
        type: 'SafeInt',
        description: 'Put right by hand; negative when points were taken.',
      }),
    }),
  });
  const Holdings = builder.objectRef<Stock>('LoyaltyHoldings').implement({
    description: 'Points held and owed at an instant.',
    fields: (t) => ({
      outstanding: t.expose('outstanding', {
        type: 'SafeInt',
        description: 'Held by members: what the business owes in points.',
      }),
      owed: t.expose('owed', {
        type: 'SafeInt',
        description: 'Owed by members: spent and then taken back; what they get next pays it first.',
      }),
      unclaimable: t.expose('unclaimable', {
        type: 'SafeInt',
        description: 'Left in accounts of customers who were erased, less what those owed: nobody can use it.',
      }),
    }),
  });
  return { Points, Holdings };
}

function outlookTypes(builder: Builder) {
  const Cell = builder.objectRef<CohortCell>('MemberCohortCell').implement({
    description: 'What the members of a cohort did in a month of their membership.',
    fields: (t) => ({
      active: t.exposeInt('active', { description: 'Members who earned or redeemed.' }),
      earned: t.expose('earned', { type: 'SafeInt', description: 'Points earned.' }),
      redeemed: t.expose('redeemed', { type: 'SafeInt', description: 'Points spent.' }),
    }),
  });
  const Cohort = builder.objectRef<MemberCohort>('MemberCohort').implement({
    description: 'Customers who joined the programme in the same month.',
    fields: (t) => ({
      month: t.expose('month', {
        type: 'LocalDate',
        description: 'First day of the month, in the time zone of the business.',
      }),
      members: t.exposeInt('members', { description: 'How many joined.' }),
      cells: t.field({
        type: t.listRef(Cell, { nullable: true }),
        description: 'By age in months: the first is the month in which they joined. Null: that month has not begun.',
        resolve: (cohort) => [...cohort.cells],
      }),
    }),
  });
  const State = builder.enumType('BreakageState', {
    description: 'Whether breakage could be forecast.',
    values: {
      ESTIMATED: { description: 'It was.' },
      NOTHING_OUTSTANDING: { description: 'Nobody holds points.' },
      NOT_ENOUGH_HISTORY: {
        description: 'Too few members have redeemed yet, or points were watched too short a time.',
      },
    } as const,
  });
  const Forecast = builder.objectRef<Breakage>('BreakageForecast').implement({
    description:
      'Share of the points that can be spent now that is expected never to be redeemed, by survival of points by age (Kaplan-Meier). What was not redeemed up to the largest age observed is taken to stay so.',
    fields: (t) => ({
      state: t.field({ type: State, description: 'Whether it could be forecast.', resolve: (b) => b.state }),
      share: t.exposeFloat('share', { nullable: true, description: '0 to 1; null unless it could be forecast.' }),
      low: t.exposeFloat('low', { nullable: true, description: 'Lower end of its 95 % interval.' }),
      high: t.exposeFloat('high', { nullable: true, description: 'Upper end of its 95 % interval.' }),
      points: t.field({
        type: 'SafeInt',
        nullable: true,
        description: 'Points expected never to be redeemed.',
        resolve: (b) => (b.share === null ? null : Math.round(b.share * b.outstanding)),
      }),
      outstanding: t.expose('outstanding', { type: 'SafeInt', description: 'Points that can be spent now.' }),
      horizonDays: t.exposeInt('horizonDays', { description: 'Largest age of points observed, in days.' }),
      redeemers: t.exposeInt('redeemers', { description: 'Members who redeemed some of the points observed.' }),
    }),
  });
  return { Cohort, Forecast };
}
