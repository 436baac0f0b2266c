import { DateTime } from 'luxon';
import { InvalidInput } from '../../../src/core/errors.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import type { LoyaltyPort } from '../contract.ts';
import { csvLine } from '../csv.ts';
import { REPORT_COLUMNS, reportRows } from './csv.ts';
import { forecastBreakage } from './domain/breakage.ts';
import { type MemberCohort, memberCohorts } from './domain/cohorts.ts';
import { addFlows, NO_FLOWS, redemptionRate, type Stock, valueOfPoints } from './domain/flows.ts';
import type { Days, LoyaltyReport } from './model.ts';
import { activeMembers, cohortCells, ledgerSums } from './queries.ts';
import { breakageHistory, WATCHED_DAYS } from './queries-breakage.ts';
import { BREAKAGE, POINT_VALUE } from './settings.ts';

const DAY_MS = 86_400_000;
/** Ten years: bounds the answer. */
const MAX_MONTHS = 120;
/** How many earners a report names. */
export const TOP_EARNERS = 10;
export const COHORTS_MAX = 36;
export const DEFAULT_COHORTS = 12;

export interface ReportService {
  /** @throws InvalidInput when the period is empty, has not begun or is longer than ten years */
  report(days: Days): Promise<LoyaltyReport>;
  /** The whole report as a CSV file, one figure a line. @throws InvalidInput */
  reportFile(days: Days): Promise<string>;
}

/** What the report stands on. */
export interface ReportPorts {
  readonly customers: Pick<CustomerPort, 'count' | 'byIds'>;
  readonly programme: LoyaltyPort['programme'];
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

export function createReportService(
  { database, settings, clock }: Pick<Infrastructure, 'database' | 'settings' | 'clock'>,
  { customers, programme }: ReportPorts,
): ReportService {
  const cohorts = async (months: number, end: DateTime): Promise<MemberCohort[]> => {
    const labels = Array.from({ length: months }, (_, n) => end.startOf('month').minus({ months: months - 1 - n }));
    const names = labels.map((month) => month.toFormat('yyyy-MM-dd'));
    // The last instant of the period is within it.
    const until = end.plus({ milliseconds: 1 }).toJSDate();
    const { members, cells } = await cohortCells(database, [...labels.map((month) => month.toJSDate()), until]);
    return memberCohorts(names, new Map(members.map((one) => [one.place, one.members])), cells);
  };

  const service: ReportService = {
    async report(days) {
      const { timeZone, reportingCurrency: currency } = await settings.get(BUSINESS);
      const now = DateTime.fromJSDate(clock.now(), { zone: timeZone });
      const stretches = stretchesOf(days, now);
      const [first, last] = [stretches[0] as DateTime, stretches.at(-1) as DateTime];
      const [sums, total, { byTier }, { pointValueMinor }] = await Promise.all([
        ledgerSums(
          database,
          stretches.map((stretch) => stretch.toJSDate()),
        ),
        customers.count(),
        programme(),
        settings.get(POINT_VALUE),
      ]);
      const book = openBook(sums, stretches.length - 1);
      const flows = book.months.reduce((all, month) => addFlows(all, month.flows), NO_FLOWS);
      const members = book.membersAt(book.months.length);
      const { outstanding } = book.stockAt(book.months.length);
      const nowMembers = byTier.reduce((sum, tier) => sum + tier.members, 0);
      // The last instant of the period, or now.
      const end = DateTime.min(last.minus({ milliseconds: 1 }), now);
      return {
        days,
        customers: total,
        members,
        newMembers: book.joined,
        tiers: byTier.map(({ tier, members: own }) => ({ tier, members: own, share: ratio(own, nowMembers) })),
        flows,
        start: book.stockAt(0),
        end: book.stockAt(book.months.length),
        averagePoints: ratio(outstanding, members),
        redemptionRate: redemptionRate(flows),
        liability:
          pointValueMinor === null ? null : { amountMinor: valueOfPoints(outstanding, pointValueMinor), currency },
        months: book.months.map((month, n) => ({ from: (stretches[n] as DateTime).toFormat('yyyy-MM-dd'), ...month })),
        async activity() {
          const period = { from: first.toJSDate(), to: last.toJSDate() };
          const { participants, earners } = await activeMembers(database, period, TOP_EARNERS);
          return { participants, participation: ratio(participants, members), earners };
        },
        async breakage() {
          const at = clock.now();
          const since = new Date(at.getTime() - WATCHED_DAYS * DAY_MS);
          return forecastBreakage(await breakageHistory(database, since, at), await settings.get(BREAKAGE));
        },
        cohorts: (months) => cohorts(months, end),
      };
    },
    async reportFile(days) {
      const report = await service.report(days);
      const [activity, breakage, rows, { byTier }] = await Promise.all([
        report.activity(),
        report.breakage(),
        report.cohorts(DEFAULT_COHORTS),
        programme(),
      ]);
      const known = await customers.byIds(activity.earners.map(({ customerId }) => customerId));
      const lines = reportRows({
        report,
        activity,
        breakage,
        cohorts: rows,
        externalIds: new Map(known.map(({ id, externalId }) => [id, externalId])),
        tierNames: new Map(byTier.map(({ tier, name }) => [tier, name])),
      });
      return [REPORT_COLUMNS, ...lines].map(csvLine).join('');
    },
  };
  return service;
}

/**
 * Where the months of a period begin, and where it ends; of a period that is not over the days to come are in its last
 * stretch, and nothing is recorded in them.
 * @throws InvalidInput
 */
function stretchesOf(days: Days, now: DateTime): DateTime[] {
  const [from, to] = [days.from, days.to].map((day) => DateTime.fromISO(day, { zone: now.zoneName as string })) as [
    DateTime,
    DateTime,
  ];
  if (!from.isValid || !to.isValid || to <= from) {
    throw new InvalidInput(`The period from ${days.from} to ${days.to} is empty; "to" is the day after its last day.`, {
      path: ['period', 'to'],
    });
  }
  if (from > now) {
    throw new InvalidInput(`The period from ${days.from} has not begun.`, { path: ['period', 'from'] });
  }
  const end = DateTime.min(to, now.plus({ months: 1 }).startOf('month'));
  const stretches = [from];
  for (let next = from.startOf('month').plus({ months: 1 }); next < end; next = next.plus({ months: 1 })) {
    stretches.push(next);
    if (stretches.length > MAX_MONTHS) {
      throw new InvalidInput(`The period has more than ${MAX_MONTHS} months.`, { path: ['period'] });
    }
  }
  return [...stretches, to];
}

/** The ledger's sums as a book: what each stretch brought, and what there was at each bound. */
function openBook({ flows, accounts }: Awaited<ReturnType<typeof ledgerSums>>, count: number) {
  const total = accounts.reduce((sum, one) => sum + one.balance, 0);
  const owed = accounts.reduce((sum, one) => sum + one.debt, 0);
  /** Points and debts at a bound: those of now, less what came from there on. Closed accounts do not change any more. */
  const stockAt = (bound: number): Stock => {
    const later = flows.filter(({ stretch }) => stretch >= bound);
    const closed = accounts.filter((one) => one.closed !== null && one.closed < bound);
    const left = closed.reduce((sum, one) => sum + one.balance, 0);
    const unpaid = closed.reduce((sum, one) => sum + one.debt, 0);
    return {
      outstanding: total - later.reduce((sum, one) => sum + one.points, 0) - left,
      owed: owed - later.reduce((sum, one) => sum + one.debt, 0) - unpaid,
      unclaimable: left - unpaid,
    };
  };
  const membersAt = (bound: number): number =>
    accounts.reduce(
      (sum, one) => (one.joined < bound && (one.closed === null || one.closed >= bound) ? sum + one.accounts : sum),
      0,
    );
  const months = Array.from({ length: count }, (_, stretch) => {
    const { issued, returned, redeemed, expired, reversed, adjusted } =
      flows.find((one) => one.stretch === stretch) ?? NO_FLOWS;
    return {
      flows: { issued, returned, redeemed, expired, reversed, adjusted },
      end: stockAt(stretch + 1),
      members: membersAt(stretch + 1),
    };
  });
  const joined = accounts.reduce((sum, one) => (one.joined >= 0 && one.joined < count ? sum + one.accounts : sum), 0);
  return { months, stockAt, membersAt, joined };
}
