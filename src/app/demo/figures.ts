import { formatMoney } from '../../core/money.ts';
import type { Application } from '../application.ts';

const number = (value: number): string => value.toLocaleString('en');
const percent = (share: number | null): string => (share === null ? 'unknown' : `${(share * 100).toFixed(1)} %`);

/** The headline figures as the modules have them, one line each. */
export async function headlines({ infra, composition }: Application): Promise<string[]> {
  const { customers, churn, risk, loyalty } = composition.services;
  const everything = { from: new Date('2010-01-01T00:00:00Z'), to: infra.clock.now() };
  const [people, revenue, [november], health, programme] = await Promise.all([
    customers.count(),
    customers.revenue(everything),
    churn.monthly('2011-11-01', '2011-12-01'),
    risk.healthDistribution(),
    loyalty.programme(),
  ]);
  const amount = formatMoney({ amountMinor: revenue.reportingAmountMinor, currency: revenue.reportingCurrency });
  const { tiers, categories } = health;
  return [
    `${number(people)} customers, ${amount} revenue in ${number(revenue.orders)} orders`,
    ...(november === undefined
      ? []
      : [
          `churn in November 2011: ${percent(november.rate)} (${number(november.churned)} of ${number(november.start)} customers)`,
        ]),
    `health: ${number(tiers.HEALTHY)} healthy, ${number(tiers.NEUTRAL)} neutral, ${number(tiers.POOR)} poor, ${number(tiers.UNKNOWN)} unknown; ` +
      `risk: ${number(categories.CRITICAL)} critical, ${number(categories.AT_RISK)} at risk`,
    `loyalty: ${number(programme.members)} members`,
  ];
}
