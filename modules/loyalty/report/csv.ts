import type { Breakage } from './domain/breakage.ts';
import type { MemberCohort } from './domain/cohorts.ts';
import type { Flows, Stock } from './domain/flows.ts';
import type { LoyaltyReport } from './model.ts';

/** A line of the report as a file: what of what, how much. */
export type ReportRow = readonly [
  section: string,
  key: string,
  age: number | null,
  measure: string,
  value: number | string | null,
];

export const REPORT_COLUMNS = ['section', 'key', 'age', 'measure', 'value'] as const;

/** A report with what it loads when asked. */
export interface FullReport {
  readonly report: LoyaltyReport;
  readonly activity: Awaited<ReturnType<LoyaltyReport['activity']>>;
  readonly breakage: Breakage;
  readonly cohorts: readonly MemberCohort[];
  /** Names of the earners, by customer id. */
  readonly externalIds: ReadonlyMap<string, string>;
  readonly tierNames: ReadonlyMap<string, string>;
}

/** One figure a line, so that it can be filtered and pivoted in any program; ages of cohorts are months of membership. */
export function reportRows({ report, activity, breakage, cohorts, externalIds, tierNames }: FullReport): ReportRow[] {
  const all = (section: string, key: string, age: number | null, figures: object): ReportRow[] =>
    Object.entries(figures).map(([measure, value]) => [section, key, age, measure, value as number | string | null]);
  return [
    ...all('summary', '', null, {
      from: report.days.from,
      to: report.days.to,
      customers: report.customers,
      members: report.members,
      new_members: report.newMembers,
      participants: activity.participants,
      participation: activity.participation,
      redemption_rate: report.redemptionRate,
      average_points: report.averagePoints,
      liability_minor: report.liability?.amountMinor ?? null,
      liability_currency: report.liability?.currency ?? null,
    }),
    ...all('points', '', null, {
      ...stockOf('start', report.start),
      ...flowsOf(report.flows),
      ...stockOf('end', report.end),
    }),
    ...report.tiers.flatMap(({ tier, members, share }) =>
      all('tier', tierNames.get(tier) ?? tier, null, { members, share }),
    ),
    ...activity.earners.flatMap(({ customerId, earned }) =>
      all('top_earner', externalIds.get(customerId) ?? customerId, null, { earned }),
    ),
    ...report.months.flatMap(({ from, flows, end, members }) =>
      all('month', from, null, { ...flowsOf(flows), ...stockOf('end', end), members }),
    ),
    ...all('breakage', '', null, {
      state: breakage.state,
      share: breakage.share,
      low: breakage.low,
      high: breakage.high,
      outstanding: breakage.outstanding,
      horizon_days: breakage.horizonDays,
      redeemers: breakage.redeemers,
    }),
    ...cohorts.flatMap(({ month, members, cells }) => [
      ...all('cohort', month, null, { members }),
      ...cells.flatMap((cell, age) =>
        all('cohort', month, age, {
          active: cell?.active ?? null,
          earned: cell?.earned ?? null,
          redeemed: cell?.redeemed ?? null,
        }),
      ),
    ]),
  ];
}

const flowsOf = ({ issued, returned, redeemed, expired, reversed, adjusted }: Flows) => ({
  issued,
  returned,
  redeemed,
  expired,
  reversed,
  adjusted,
});

const stockOf = (when: 'start' | 'end', { outstanding, owed, unclaimable }: Stock) => ({
  [`outstanding_at_${when}`]: outstanding,
  [`owed_at_${when}`]: owed,
  [`unclaimable_at_${when}`]: unclaimable,
});
