import { fileURLToPath } from 'node:url';
import type { Call } from '../../core/call.ts';
import { formatMoney } from '../../core/money.ts';
import type { Application } from '../application.ts';
import { say } from '../commands/output.ts';
import { cleaningText, qualityText, resultText } from '../imports/report.ts';
import type { Demo } from './demo.ts';
import { DemoFolderTaken } from './errors.ts';
import { churnLine, healthLine, number, predictionLine, segmentLines } from './figures.ts';
import { importedBefore, importOrFollow, realImports } from './imports.ts';
import { DEMO_QUERIES } from './queries.ts';
import { isSaasSource } from './saas/data-set.ts';
import { computeWhatIsKnown, type DemoBusiness, isReckoned, setUpBusiness } from './setup.ts';

/** The real file the repository ships; see data/online_retail/README.md for whose it is. */
export const ONLINE_RETAIL = fileURLToPath(
  new URL('../../../data/online_retail/online_retail.csv.gz', import.meta.url),
);
/** Marks the demo's own import among others. */
export const ONLINE_RETAIL_SOURCE = 'online-retail';

/** Whose orders they are. */
export const SHOP: DemoBusiness = {
  profile: {
    companyName: 'Online Retail',
    productName: 'the gift shop',
    reportingCurrency: 'GBP',
    // The file's times have no zone, and all references take them as UTC: so does the business.
    timeZone: 'UTC',
    startedOn: '2010-12-01',
  },
  // People do not come to a shop as they use a tool: who buys on two days of thirty is doing well.
  usage: { activeDays: 2 },
  // The day after the last order of the file.
  clockStartsAt: '2011-12-10T00:00:00.000Z',
};

/** A shop, from real data. */
export const onlineRetail: Demo = {
  about: 'Online Retail (Daqing Chen, UCI Machine Learning Repository, CC BY 4.0), 541,909 rows',
  clockBegan: '2011-12-10 00:00',
  command: 'npm run demo',
  queries: DEMO_QUERIES,
  prepare,
  headlines,
};

async function prepare(application: Application, call: Call): Promise<void> {
  const jobs = await realImports(application);
  if (jobs.some(({ source }) => isSaasSource(source))) {
    throw new DemoFolderTaken(
      application.infra.dataFolder,
      'the generated subscription business',
      'Online Retail',
      'Start that again with "npm run demo -- --saas", or name another folder: HOLDFAST_DATA=.holdfast-shop npm run demo.',
    );
  }
  await setUpBusiness(application, call, SHOP);
  const before = importedBefore(jobs, ONLINE_RETAIL_SOURCE, 'ORDERS');
  if (before?.state === 'DONE') {
    say('imported at an earlier start; nothing is imported twice');
    if (!(await isReckoned(application))) await computeWhatIsKnown(application, call);
    return;
  }
  const input = {
    recordType: 'ORDERS',
    acceptQuality: true,
    source: ONLINE_RETAIL_SOURCE,
    timeZone: 'UTC',
    currency: 'GBP',
  } as const;
  const view = await importOrFollow(application, call, ONLINE_RETAIL, input, before);
  if (view.quality !== null) say(`\n${qualityText(view.quality)}`);
  say('Below 95 % an import stops here and asks; the demo gives --accept-quality.');
  if (view.cleaning !== null) say(`\n${cleaningText(view.cleaning)}`);
  say(`\n${resultText(view)}`);
  say('computing churn, predictions, health, risk, segments and value of every customer');
  await computeWhatIsKnown(application, call);
}

async function headlines(application: Application): Promise<string[]> {
  const { infra, composition } = application;
  const { customers, risk, loyalty } = composition.services;
  const everything = { from: new Date('2010-01-01T00:00:00Z'), to: infra.clock.now() };
  const [people, revenue, churned, predicted, health, segments, programme] = await Promise.all([
    customers.count(),
    customers.revenue(everything),
    churnLine(application, '2011-11-01', '2011-12-01', 'November 2011'),
    predictionLine(application),
    risk.healthDistribution(),
    segmentLines(application),
    loyalty.programme(),
  ]);
  const amount = formatMoney({ amountMinor: revenue.reportingAmountMinor, currency: revenue.reportingCurrency });
  const { categories } = health;
  return [
    `${number(people)} customers, ${amount} revenue in ${number(revenue.orders)} orders`,
    ...churned,
    ...predicted,
    `${healthLine(health)}; risk: ${number(categories.CRITICAL)} critical, ${number(categories.AT_RISK)} at risk`,
    ...segments,
    `loyalty: ${number(programme.members)} members`,
  ];
}
