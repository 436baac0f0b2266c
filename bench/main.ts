import '../src/native.mjs';

/** `npm run -s bench -- NAME [--quick]`: prints what it does on stderr, and one JSON object as the last line on stdout. */
const BENCHES = [
  'health-graph',
  'award-points',
  'redeem',
  'expiry',
  'tier-review',
  'ingest',
  'subscriptions',
  'trees',
  'scoring',
  'online-retail',
] as const;

/**
 * What a benchmark found. Every ratio is Holdfast over its limit, measured in the same run. Of those with a bar more is
 * better, of those with a ceiling less.
 */
export interface BenchResult {
  readonly ratios: Readonly<Record<string, number>>;
  /** The least each ratio has to be. */
  readonly bars: Readonly<Record<string, number>>;
  /** The most a ratio may be, where less is better. */
  readonly ceilings?: Readonly<Record<string, number>>;
  /** Absolute numbers of this machine, for people. */
  readonly figures: Readonly<Record<string, unknown>>;
}

const args = process.argv.slice(2);
const name = args.find((arg) => !arg.startsWith('-'));
const unknown = args.filter((arg) => arg.startsWith('-') && arg !== '--quick');

if (name === undefined || unknown.length > 0 || !BENCHES.some((bench) => bench === name)) {
  process.stderr.write(`usage: npm run -s bench -- ${BENCHES.join(' | ')} [--quick]\n`);
  process.exitCode = 2;
} else {
  const bench = (await import(`./${name}.ts`)) as { run(options: { readonly quick: boolean }): Promise<BenchResult> };
  const { ratios, bars, ceilings = {}, figures } = await bench.run({ quick: args.includes('--quick') });
  const short = Object.entries(bars).filter(([ratio, bar]) => (ratios[ratio] ?? 0) < bar);
  for (const [ratio, bar] of short) process.stderr.write(`${ratio} is ${ratios[ratio]}, below its bar of ${bar}\n`);
  const over = Object.entries(ceilings).filter(
    ([ratio, ceiling]) => (ratios[ratio] ?? Number.POSITIVE_INFINITY) > ceiling,
  );
  for (const [ratio, ceiling] of over) {
    process.stderr.write(`${ratio} is ${ratios[ratio]}, above its ceiling of ${ceiling}\n`);
  }
  process.stdout.write(`${JSON.stringify({ bench: name, ratios, bars, ceilings, figures })}\n`);
}
