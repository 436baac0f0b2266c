import { run as runBulk } from './ingest-bulk.ts';
import { run as runMutation } from './ingest-mutation.ts';
import type { BenchResult } from './main.ts';

/** Events by both ways in: the mutation, and the import of a file. */
export async function run(options: { readonly quick: boolean }): Promise<BenchResult> {
  const parts = [await runMutation(options), await runBulk(options)];
  return {
    ratios: Object.assign({}, ...parts.map((part) => part.ratios)),
    bars: Object.assign({}, ...parts.map((part) => part.bars)),
    figures: Object.assign({}, ...parts.map((part) => part.figures)),
  };
}
