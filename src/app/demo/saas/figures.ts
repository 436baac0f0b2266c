import { formatMoney } from '../../../core/money.ts';
import { BUSINESS } from '../../../core/settings/index.ts';
import type { Application } from '../../application.ts';
import { churnLine, healthLine, number, predictionLine } from '../figures.ts';

const PAGE = 2_000;

/** Customers by status, what is paid by plan, churn, health and risk. */
export async function saasHeadlines(application: Application): Promise<string[]> {
  const { infra, composition } = application;
  const { reportingCurrency: currency } = await infra.settings.get(BUSINESS);
  const [{ statuses, plans, apart }, churned, predicted, health] = await Promise.all([
    walk(application, currency),
    churnLine(application, '2025-12-01', '2026-01-01', 'December 2025'),
    predictionLine(application),
    composition.services.risk.healthDistribution(),
  ]);
  const amount = (amountMinor: number): string => formatMoney({ amountMinor, currency });
  const total = [...plans.values()].reduce((sum, { mrrMinor }) => sum + mrrMinor, 0);
  const byPlan = [...plans]
    .sort(([, a], [, b]) => b.mrrMinor - a.mrrMinor)
    .map(([plan, { mrrMinor, subscriptions }]) => `${plan} ${amount(mrrMinor)} (${number(subscriptions)})`);
  const { categories: risk } = health;
  const all = [...statuses.values()].reduce((sum, customers) => sum + customers, 0);
  const of = (status: string): string => number(statuses.get(status) ?? 0);
  return [
    `${number(all)} customers: ${of('ACTIVE')} active, ${of('TRIAL')} on trial, ${of('PAUSED')} paused, ${of('CHURNED')} gone`,
    `monthly recurring revenue ${amount(total)}: ${byPlan.join(', ')}${apart === 0 ? '' : `; ${number(apart)} subscriptions in other currencies`}`,
    ...churned,
    ...predicted,
    healthLine(health),
    `risk: ${number(risk.CRITICAL)} critical, ${number(risk.AT_RISK)} at risk, ${number(risk.MONITOR)} to monitor, ${number(risk.SECURE)} secure`,
  ];
}

/** Everybody once, page by page. */
async function walk({ infra, composition }: Application, currency: string) {
  const { customers } = composition.services;
  const now = infra.clock.now();
  const statuses = new Map<string, number>();
  const plans = new Map<string, { mrrMinor: number; subscriptions: number }>();
  let apart = 0;
  for (let after: string | null = null; ; ) {
    const ids: string[] = await customers.idsAfter(after, PAGE);
    after = ids.at(-1) ?? null;
    if (after === null) return { statuses, plans, apart };
    for (const { status } of await customers.byIds(ids)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    for (const subscription of await customers.subscriptions(ids)) {
      const { plan, mrrMinor, cancelledAt } = subscription;
      if (cancelledAt !== null && cancelledAt <= now) continue;
      if (subscription.currency !== currency) {
        apart += 1;
        continue;
      }
      const known = plans.get(plan) ?? { mrrMinor: 0, subscriptions: 0 };
      plans.set(plan, { mrrMinor: known.mrrMinor + mrrMinor, subscriptions: known.subscriptions + 1 });
    }
  }
}
