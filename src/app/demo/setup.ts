import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAtRest } from '../../../modules/customers/imports/contract.ts';
import { USAGE_EXPECTATIONS } from '../../../modules/risk/contract.ts';
import type { Call } from '../../core/call.ts';
import { BUSINESS, BUSINESS_CLOCK } from '../../core/settings/index.ts';
import type { Application } from '../application.ts';
import { importLocally } from '../imports/local.ts';
import { createMeter } from '../imports/meter.ts';
import { type ImportView, viewOf } from '../imports/view.ts';

/** The real file the repository ships; see data/online_retail/README.md for whose it is. */
export const ONLINE_RETAIL = fileURLToPath(
  new URL('../../../data/online_retail/online_retail.csv.gz', import.meta.url),
);

/** Marks the demo's own import among others. */
const SOURCE = 'online-retail';
/** The day after the last order of the file: "now" makes sense for old data. */
const DEMO_STARTS_AT = '2011-12-10T00:00:00.000Z';
const LOOK_EVERY_MS = 200;

/** Makes the business of the demo, once: what an operator changed since stays as it is. */
export async function setUpBusiness({ infra }: Application, call: Call): Promise<void> {
  const { settings, systemClock } = infra;
  if ((await settings.history(BUSINESS.key, 1)).length === 0) {
    await settings.change(call, BUSINESS.key, {
      ...BUSINESS.default,
      companyName: 'Online Retail',
      productName: 'the gift shop',
      reportingCurrency: 'GBP',
      // The file's times have no zone, and all references take them as UTC: so does the business.
      timeZone: 'UTC',
      startedOn: '2010-12-01',
    });
  }
  if ((await settings.history(USAGE_EXPECTATIONS.key, 1)).length === 0) {
    // People do not come to a shop as they use a tool: who buys on two days of thirty is doing well.
    await settings.change(call, USAGE_EXPECTATIONS.key, { ...USAGE_EXPECTATIONS.default, activeDays: 2 });
  }
  if ((await settings.history(BUSINESS_CLOCK.key, 1)).length === 0) {
    const setAt = systemClock.now().toISOString();
    await settings.change(call, BUSINESS_CLOCK.key, { mode: 'demo', startsAt: DEMO_STARTS_AT, setAt });
  }
}

/** Imports Online Retail, or follows the import that a killed start left behind. @returns null when it was done before */
export async function importOnlineRetail(application: Application, call: Call): Promise<ImportView | null> {
  const { imports } = application.composition.services.customers;
  const before = (await imports.list({ limit: 100, before: null })).find(
    (job) => job.source === SOURCE && !job.dryRun && job.state !== 'FAILED' && job.state !== 'CANCELLED',
  );
  if (before?.state === 'DONE') return null;
  const meter = createMeter();
  try {
    if (before === undefined) {
      const input = {
        recordType: 'ORDERS',
        acceptQuality: true,
        source: SOURCE,
        timeZone: 'UTC',
        currency: 'GBP',
      } as const;
      return await importLocally(imports, call, ONLINE_RETAIL, input, meter.show);
    }
    for (;;) {
      const job = await imports.get(before.id);
      meter.show(viewOf(job));
      if (isAtRest(job.state)) return viewOf(job);
      await delay(LOOK_EVERY_MS);
    }
  } finally {
    meter.stop();
  }
}

/** Whether a start was cut off between the import and the reckoning. */
export async function isReckoned({ composition }: Application): Promise<boolean> {
  return (await composition.services.loyalty.programme()).members > 0;
}

/** Everybody joins the programme, and what the modules know is reckoned before anybody asks. */
export async function computeWhatIsKnown({ composition }: Application, call: Call): Promise<void> {
  const { loyalty, churn, risk } = composition.services;
  await churn.refreshAll(call);
  await risk.assessAll(call);
  await loyalty.enrolEverybody(call);
}

/** Why the demo cannot go on. */
export const failureOf = (view: ImportView): string =>
  view.error === null ? `The import is ${view.state.toLowerCase()}.` : view.error.message;
