import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of a file of test/data. */
export const dataFile = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));

/** A CSV of numbers without quotes: its columns by name. */
export function numericColumns(name: string): Readonly<Record<string, Float64Array>> {
  const [header = '', ...lines] = readFileSync(dataFile(name), 'utf8').trim().split(/\r?\n/);
  const rows = lines.map((line) => line.split(',').map(Number));
  return Object.fromEntries(
    header.split(',').map((column, at) => [column, Float64Array.from(rows, (row) => row[at]!)]),
  );
}

/** Distance of `actual` from `expected` as a share of the expected. */
export const relativeError = (actual: number, expected: number): number =>
  Math.abs(actual - expected) / Math.abs(expected);

/** The numerical derivative by each coordinate, to about 1e-9. */
export function differences(value: (at: Float64Array) => number, at: Float64Array): Float64Array {
  const step = 1e-5;
  return at.map((_, i) => {
    const moved = (by: number) => value(at.map((component, j) => (i === j ? component + by : component)));
    return (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step);
  });
}
