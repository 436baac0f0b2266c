import { Command } from 'commander';
import { systemCall } from '../../core/call.ts';
import { DomainError } from '../../core/errors.ts';
import type { Application } from '../application.ts';
import { headlines } from '../demo/figures.ts';
import { DEMO_QUERIES } from '../demo/queries.ts';
import { computeWhatIsKnown, failureOf, importOnlineRetail, isReckoned, setUpBusiness } from '../demo/setup.ts';
import { cleaningText, qualityText, resultText } from '../imports/report.ts';
import { say } from './output.ts';
import { type Started, serve } from './serve.ts';

/** The demo's import did not come to its end. */
class DemoImportFailed extends DomainError {
  constructor(why: string) {
    super('APP_DEMO_IMPORT_FAILED', `${why} Nothing else was changed; start the demo again.`);
  }
}

/** Imports the demo's data at the first start; later starts find them. */
async function prepare(application: Application): Promise<void> {
  const call = systemCall('demo', 'cli');
  await setUpBusiness(application, call);
  say('demo data: Online Retail (Daqing Chen, UCI Machine Learning Repository, CC BY 4.0), 541,909 rows');
  const view = await importOnlineRetail(application, call);
  if (view === null) {
    say('imported at an earlier start; nothing is imported twice');
    if (!(await isReckoned(application))) await computeWhatIsKnown(application, call);
    return;
  }
  if (view.state !== 'DONE') throw new DemoImportFailed(failureOf(view));
  if (view.quality !== null) say(`\n${qualityText(view.quality)}`);
  say('Below 95 % an import stops here and asks; the demo gives --accept-quality.');
  if (view.cleaning !== null) say(`\n${cleaningText(view.cleaning)}`);
  say(`\n${resultText(view)}`);
  say('computing churn, health and risk of every customer');
  await computeWhatIsKnown(application, call);
}

async function announce({ application, server, madeKey, config }: Started): Promise<void> {
  const url = `${server.url}/graphql`;
  const now = application.infra.clock.now().toISOString().slice(0, 16).replace('T', ' ');
  say('');
  for (const line of await headlines(application)) say(line);
  say(`it is ${now} UTC for this business: its clock began at 2011-12-10 00:00 and ticks on`);
  say('');
  say(`ready: GraphQL and GraphiQL at ${url}`);
  if (madeKey !== null) say(`admin key, shown this once: ${madeKey}`);
  else if (config.adminKey !== null) say('admin key: the one in HOLDFAST_ADMIN_KEY');
  else say('admin key: printed at the first start; "npm run -s holdfast -- keys create" makes another');
  say('');
  say(`three queries to try, open as tabs in GraphiQL (put the key into its headers):`);
  for (const [at, { title }] of DEMO_QUERIES.entries()) say(`  ${at + 1}. ${title}`);
  say('');
  if (config.smtpUrl === null) say(`mail: no SMTP_URL, so messages end in ${server.url}/outbox`);
  say('Ctrl+C stops it; "npm run demo" starts it again with the same data');
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('Serve a business made of real data: imports Online Retail at the first start.')
    .action(() =>
      serve({
        http: true,
        worker: true,
        quiet: true,
        prepare,
        examples: { examples: DEMO_QUERIES.map(({ query }) => ({ query })) },
        announce,
      }),
    );
}
