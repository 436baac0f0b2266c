import { setImmediate } from 'node:timers/promises';
import { FeatureLeak, findLeaks, type Leak } from '../../value/contract.ts';
import { columnOf } from './domain/drift.ts';
import type { LabelledRows } from './domain/training.ts';

/** Rows looked at, of more every nth: enough to see a leak, and a column takes some 10 ms. */
const ROWS_MAX = 20_000;

/**
 * Looks at what a model is to learn from, column by column, and lets others have their turn in between.
 * @throws FeatureLeak when a column is not of the catalogue, or knows the label
 */
export async function refuseLeaks(names: readonly string[], { features, labels }: LabelledRows): Promise<void> {
  const label = columnOf(labels, 1, 0, ROWS_MAX);
  const leaks: Leak[] = [];
  for (const [column, name] of names.entries()) {
    leaks.push(...findLeaks([{ name, values: columnOf(features, names.length, column, ROWS_MAX) }], label));
    await setImmediate();
  }
  if (leaks.length > 0) throw new FeatureLeak(leaks);
}
