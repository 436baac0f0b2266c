import { Command, InvalidArgumentError } from 'commander';
import { systemCall } from '../../core/call.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { Demo } from '../demo/demo.ts';
import { onlineRetail } from '../demo/online-retail.ts';
import { SAAS_DEFAULTS } from '../demo/saas/data-set.ts';
import { saas } from '../demo/saas/index.ts';
import { say } from './output.ts';
import { type Started, serve } from './serve.ts';

interface Options {
  readonly saas?: boolean;
  readonly customers?: number;
  readonly months?: number;
  readonly seed?: number;
}

async function announce({ application, server, madeKey, config }: Started, demo: Demo): Promise<void> {
  const url = `${server.url}/graphql`;
  const now = application.infra.clock.now().toISOString().slice(0, 16).replace('T', ' ');
  say('');
  for (const line of await demo.headlines(application)) say(line);
  say(`it is ${now} UTC for this business: its clock began at ${demo.clockBegan} and ticks on`);
  say('');
  say(`ready: GraphQL and GraphiQL at ${url}`);
  if (madeKey !== null) say(`admin key, shown this once: ${madeKey}`);
  else if (config.adminKey !== null) say('admin key: the one in HOLDFAST_ADMIN_KEY');
  else say('admin key: printed at the first start; "npm run -s holdfast -- keys create" makes another');
  say('');
  say(`three queries to try, open as tabs in GraphiQL (put the key into its headers):`);
  for (const [at, { title }] of demo.queries.entries()) say(`  ${at + 1}. ${title}`);
  say('');
  if (config.smtpUrl === null) say(`mail: no SMTP_URL, so messages end in ${server.url}/outbox`);
  say(`Ctrl+C stops it; "${demo.command}" starts it again with the same data`);
}

/** @throws InvalidInput when options of the generated business are given without it */
function demoOf({ saas: isSaas, customers, months, seed }: Options): Demo {
  if (isSaas === true) return saas({ customers, months, seed });
  const [given] = Object.entries({ customers, months, seed }).filter(([, value]) => value !== undefined);
  if (given === undefined) return onlineRetail;
  throw new InvalidInput(`--${given[0]} is for the generated business only: give --saas as well.`, {
    path: [given[0]],
  });
}

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `It must be a whole number from ${least.toLocaleString('en')} to ${most.toLocaleString('en')}.`,
    );
  };

const HELP = `
Without options: Online Retail, a real shop with 541,909 order lines (UCI, CC BY 4.0). Its clock begins at 2011-12-10.

With --saas: a software company that sells subscriptions, generated: accounts with contacts and account managers, plans,
upgrades, downgrades, second subscriptions, pauses and cancellations with their reasons, invoices paid late or never,
sessions and use of features that often decline before an account leaves, tickets, survey answers, opened messages,
referrals and reviews. The same options give the same business, byte for byte. Its clock begins at 2026-01-01, the day
after the data end.

The first start imports the data as files, as anybody's would be; later ones find them and take their size from them. One
data folder holds one business: HOLDFAST_DATA names another folder.

  npm run demo
  npm run demo -- --saas
  HOLDFAST_DATA=.holdfast-large npm run demo -- --saas --customers 20000 --months 36 --seed 7

At 24 months a customer has about 560 events and takes about 200 kB of disk: 2,000 take 400 MB, and 100,000 some 20 GB.`;

export function demoCommand(): Command {
  const { customers, months, seed } = SAAS_DEFAULTS;
  return new Command('demo')
    .description('Serve a business with data to look at: a real shop, or a generated subscription business.')
    .option('--saas', 'a generated subscription business in place of the shop')
    .option('--customers <n>', `with --saas: how many accounts signed up (default: ${customers})`, whole(1, 1_000_000))
    .option('--months <n>', `with --saas: months of history (default: ${months})`, whole(1, 120))
    .option(
      '--seed <n>',
      `with --saas: another seed gives another business (default: ${seed})`,
      whole(0, 2_147_483_647),
    )
    .addHelpText('after', HELP)
    .action((options: Options) => {
      const demo = demoOf(options);
      return serve({
        http: true,
        worker: true,
        quiet: true,
        async prepare(application) {
          say(`demo data: ${demo.about}`);
          await demo.prepare(application, systemCall('demo', 'cli'));
        },
        examples: { examples: demo.queries.map(({ query }) => ({ query })) },
        announce: (started) => announce(started, demo),
      });
    });
}
