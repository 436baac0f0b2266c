import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ImportJob } from '../../../../modules/customers/imports/contract.ts';
import type { Call } from '../../../core/call.ts';
import type { Application } from '../../application.ts';
import { say } from '../../commands/output.ts';

import { count } from '../../imports/report.ts';
import type { ImportView } from '../../imports/view.ts';
import type { Demo } from '../demo.ts';
import { DemoFolderTaken } from '../errors.ts';
import { importedBefore, importOrFollow, realImports } from '../imports.ts';
import { ONLINE_RETAIL_SOURCE } from '../online-retail.ts';
import { computeWhatIsKnown, isReckoned, setUpBusiness } from '../setup.ts';
import type { SaasOptions } from './accounts.ts';
import { COMPANY, PLANS } from './business.ts';
import { DEMO_STARTS_AT_MS, iso, stretchOf } from './calendar.ts';
import { completed, optionsOf, SAAS_DEFAULTS, type SaasAsked, saasSource } from './data-set.ts';
import { saasHeadlines } from './figures.ts';
import { FILES, writeFiles } from './files.ts';
import { SAAS_QUERIES } from './queries.ts';
import { qualityInShort } from './report.ts';

/** A software company that lives on subscriptions, generated. */
export const saas = (asked: SaasAsked): Demo => ({
  about: 'a generated software company that sells subscriptions; none of it is real',
  clockBegan: iso(DEMO_STARTS_AT_MS).slice(0, 16).replace('T', ' '),
  command: 'npm run demo -- --saas',
  queries: SAAS_QUERIES,
  prepare: (application, call) => prepare(application, call, asked),
  headlines: saasHeadlines,
});

async function prepare(application: Application, call: Call, asked: SaasAsked): Promise<void> {
  const jobs = await realImports(application);
  const options = await optionsFor(application, jobs, asked);
  const { customers, months, seed } = options;
  await setUpBusiness(application, call, {
    profile: { ...COMPANY, startedOn: iso(stretchOf(months).fromMs).slice(0, 10) },
    usage: {
      activeDaysByPlan: Object.fromEntries(PLANS.map(({ key, activeDays }) => [key, activeDays])),
      featuresByPlan: Object.fromEntries(PLANS.map(({ key, features }) => [key, features])),
    },
    clockStartsAt: iso(DEMO_STARTS_AT_MS),
  });
  say(`${count(customers)} accounts that signed up within ${months} months, seed ${seed}`);
  const source = saasSource(options);
  const folder = path.join(application.infra.dataFolder, 'demo');
  if (FILES.every(({ type }) => importedBefore(jobs, source, type)?.state === 'DONE')) {
    say('imported at an earlier start; nothing is imported twice');
    if (!(await isReckoned(application))) await computeWhatIsKnown(application, call);
    return;
  }
  const views = await importAll(application, call, folder, options, jobs);
  await rm(folder, { recursive: true, force: true });
  say(`\n${qualityInShort(views)}`);
  say('\ncomputing churn, predictions, health, risk and value of every customer');
  await computeWhatIsKnown(application, call);
}

/** What is to be generated; what was not asked for is as the folder has it. @throws DemoFolderTaken */
async function optionsFor(
  { infra, composition }: Application,
  jobs: readonly ImportJob[],
  asked: SaasAsked,
): Promise<SaasOptions> {
  const there = jobs.map(({ source }) => optionsOf(source)).find((options) => options !== null) ?? null;
  const options = completed(asked, there ?? SAAS_DEFAULTS);
  const refuse = (holds: string, remedy: string) =>
    new DemoFolderTaken(infra.dataFolder, holds, 'what you ask for', remedy);
  const other = 'name another folder: HOLDFAST_DATA=.holdfast-saas npm run demo -- --saas.';
  if (there !== null) {
    if (saasSource(there) === saasSource(options)) return options;
    const { customers, months, seed } = there;
    throw refuse(
      `another generated business (--customers ${customers} --months ${months} --seed ${seed})`,
      `Start that again without these options, or ${other}`,
    );
  }
  if (jobs.some(({ source }) => source === ONLINE_RETAIL_SOURCE))
    throw refuse('Online Retail', `Start that again with "npm run demo", or ${other}`);
  // Its ids and its clock would spoil what somebody else put there.
  const customers = await composition.services.customers.count();
  if (customers > 0) throw refuse(`${count(customers)} customers of another business`, `N${other.slice(1)}`);
  return options;
}

async function importAll(
  application: Application,
  call: Call,
  folder: string,
  options: SaasOptions,
  jobs: readonly ImportJob[],
): Promise<ImportView[]> {
  const source = saasSource(options);
  say(`generating them as import files in ${folder}`);
  const rows = await writeFiles(folder, options);
  const views: ImportView[] = [];
  for (const { type, name } of FILES) {
    say(`importing ${name}: ${count(rows[name] ?? 0)} rows`);
    const input = { recordType: type, source, timeZone: 'UTC', fileName: name };
    const before = importedBefore(jobs, source, type);
    views.push(await importOrFollow(application, call, path.join(folder, name), input, before));
  }
  return views;
}
