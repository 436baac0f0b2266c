import { Command } from 'commander';
import { UnusableOption } from '../learn/errors.ts';
import { say } from './output.ts';

interface EvaluateFlags {
  readonly data: string;
  readonly label: string;
  readonly folds?: string;
  readonly drop?: readonly string[];
  readonly loss: string;
  readonly trees: string;
  readonly depth: string;
  readonly rate: string;
  readonly seed: string;
}

interface ClusterFlags {
  readonly data: string;
  readonly columns: string;
  readonly k: string;
  readonly log?: true;
  readonly seed: string;
}

/** @throws UnusableOption unless the text is a whole number within the bounds */
function wholeOf(option: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= min && number <= max) return number;
  throw new UnusableOption(option, text, `Give a whole number from ${min} to ${max}.`);
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (text.trim() !== '' && rate > 0 && rate <= 1) return rate;
  throw new UnusableOption('--rate', text, 'Give a number above 0, up to 1.');
}

const TREES_MAX = 100_000;
const DEPTH_MAX = 30;
const SEED_MAX = 2 ** 32 - 1;
const seedOf = (text: string) => wholeOf('--seed', text, 0, SEED_MAX);

const gather = (name: string, before: readonly string[] = []): string[] => [...before, name];
const listOf = (text: string): string[] => text.split(',').map((name) => name.trim());

const SEED = ['--seed <seed>', 'whole number that decides every draw', '0'] as const;
const FILE_HELP =
  '\nThe file is a CSV with a header (comma, semicolon, tab or bar; .gz too). Empty fields, NA, NaN, null and ? are missing.';

/** `holdfast learn ...`: the numerics of Holdfast for any file, without a server. */
export function learnCommand(): Command {
  const learn = new Command('learn').description(
    'Learn from a CSV file: boosted trees, BG/NBD, k-means. Needs no server and stores nothing; prints one JSON object.',
  );
  learn.addCommand(evaluateCommand());
  learn.addCommand(bgNbdCommand());
  learn.addCommand(kMeansCommand());
  return learn;
}

function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('Cross-validate gradient-boosted trees on a table.')
    .requiredOption('--data <file>', 'the table: one row per example')
    .requiredOption(
      '--label <column>',
      'the column to predict: 0/1 or two texts; amounts with another loss than logistic',
    )
    .option('--folds <file>', 'columns row (0-based) and fold; without it five seeded folds, stratified for two kinds')
    .option('--drop <column>', 'a column not to learn from, or several with commas; repeat for more', gather)
    .option('--loss <loss>', 'logistic, squared, poisson, tweedie, tweedie:1.5 or quantile:0.9', 'logistic')
    .option('--trees <trees>', 'trees of each model', '200')
    .option('--depth <depth>', 'splits from root to leaf at most', '4')
    .option('--rate <rate>', 'learning rate', '0.05')
    .option(...SEED)
    .addHelpText(
      'after',
      `${FILE_HELP} Other texts are categories (rare ones count as missing), yes/no and true/false 1 and 0, ISO dates days; a text that is different in most rows\nand a number that only numbers them are left out and named under "ignored".\n\nPrints {"mean", "folds", "pooled", ...}: auc, prAuc, logloss, brier, ece (10 bins), lift (best 10 %) and accuracy (at 0.5) for the\nlogistic loss; mae, rmse, r2, spearman and pinball (of the quantile, else of one half) for the others.`,
    )
    .action(async (flags: EvaluateFlags) => {
      const { lossOf } = await import('../learn/loss.ts');
      const { evaluate } = await import('../learn/evaluate.ts');
      const evaluation = await evaluate({
        data: flags.data,
        label: flags.label,
        folds: flags.folds ?? null,
        drop: flags.drop ?? [],
        loss: lossOf(flags.loss),
        trees: wholeOf('--trees', flags.trees, 1, TREES_MAX),
        depth: wholeOf('--depth', flags.depth, 1, DEPTH_MAX),
        rate: rateOf(flags.rate),
        seed: seedOf(flags.seed),
      });
      say(JSON.stringify(evaluation));
    });
}

function bgNbdCommand(): Command {
  return new Command('bgnbd')
    .description('Fit BG/NBD (how often and how long customers buy) and Gamma-Gamma (how much they pay).')
    .requiredOption(
      '--data <file>',
      'columns x (repeat purchases), t_x (time of the last), T (time observed) [, mean_repeat_value]',
    )
    .addHelpText(
      'after',
      `${FILE_HELP}\n\nPrints {"params": {"r", "alpha", "a", "b"}, "logLikelihood", "gammaGamma": {"p", "q", "gamma"} or null, ...}.`,
    )
    .action(async ({ data }: { readonly data: string }) => {
      const { fitLifetime } = await import('../learn/bgnbd.ts');
      say(JSON.stringify(await fitLifetime(data)));
    });
}

function kMeansCommand(): Command {
  return new Command('kmeans')
    .description('Cluster customers by k-means on standardised columns, and choose how many clusters.')
    .requiredOption('--data <file>', 'one row per customer')
    .option('--columns <columns>', 'columns to cluster by', 'recency,frequency,monetary')
    .option('--k <range>', 'numbers of clusters to try', '2..10')
    .option('--log', 'take ln(1 + x) before standardising')
    .option(...SEED)
    .addHelpText('after', `${FILE_HELP}\n\nPrints {"k", "reason", "table": [{"k", "inertia", "silhouette"}], ...}.`)
    .action(async ({ data, columns, k, log, seed }: ClusterFlags) => {
      const { clusterFile, rangeOf } = await import('../learn/kmeans.ts');
      const report = await clusterFile({
        data,
        columns: listOf(columns),
        ...rangeOf(k),
        log: log === true,
        seed: seedOf(seed),
      });
      say(JSON.stringify(report));
    });
}
