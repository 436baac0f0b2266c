import { createRandom, shuffledIndices } from '../../learning/random.ts';
import { shownValue } from './column.ts';
import { UnusableData } from './errors.ts';
import { columnOf, numbersOf, placeOf, type Table } from './table.ts';

/** The fold in which each row is tested, from 0 on, and the folds' names. */
export interface Folds {
  readonly byRow: Int32Array;
  readonly names: readonly string[];
}

const FOLDS = 5;

/**
 * A seeded split into five folds (fewer for fewer rows). With labels of two kinds each fold gets its share of both.
 * @throws UnusableData for a single row
 */
export function splitInFolds(table: Table, labels: Float64Array, stratified: boolean, seed: number): Folds {
  const count = Math.min(FOLDS, labels.length);
  if (count < 2) throw new UnusableData({ file: table.file }, 'there is one row only.', 'Give at least two rows.');
  const order = shuffledIndices(labels.length, createRandom(seed));
  const ordered = stratified ? [...order].sort((a, b) => labels[a]! - labels[b]!) : [...order];
  const byRow = new Int32Array(labels.length);
  for (const [at, row] of ordered.entries()) byRow[row] = at % count;
  return { byRow, names: Array.from({ length: count }, (_, fold) => String(fold)) };
}

/**
 * Reads a file with the columns row (0-based) and fold; it names each row of the data once.
 * @throws UnusableData
 */
export function givenFolds(folds: Table, data: Table): Folds {
  const rows = numbersOf(folds, 'row', '--folds');
  const column = columnOf(folds, 'fold', '--folds');
  const rowColumn = columnOf(folds, 'row', '--folds');
  const place = new Map([...new Set(column.values)].sort((a, b) => a - b).map((value, fold) => [value, fold]));
  const byRow = new Int32Array(data.rows).fill(-1);
  for (let at = 0; at < folds.rows; at++) {
    const row = rows[at]!;
    if (!(Number.isInteger(row) && row >= 0 && row < data.rows)) {
      throw new UnusableData(
        placeOf(folds, rowColumn, at),
        `is no row of ${data.file}, which has ${data.rows}.`,
        `Rows count from 0 to ${data.rows - 1}.`,
      );
    }
    if (byRow[row] !== -1) throw new UnusableData(placeOf(folds, rowColumn, at), 'comes twice.', 'Name each row once.');
    if (Number.isNaN(column.values[at]!)) {
      throw new UnusableData(placeOf(folds, column, at), 'is no fold.', 'Give a fold to every row.');
    }
    byRow[row] = place.get(column.values[at]!)!;
  }
  const missing = byRow.indexOf(-1);
  if (missing >= 0) {
    throw new UnusableData(
      { file: folds.file, column: 'row', value: missing },
      'is missing.',
      'Name each row of the data once.',
    );
  }
  if (place.size < 2) {
    throw new UnusableData(
      { file: folds.file, column: 'fold' },
      'holds one fold only.',
      'Give at least two: one is tested, the others are learnt from.',
    );
  }
  return { byRow, names: Array.from(place.keys(), (value) => shownValue(column, column.values.indexOf(value))) };
}
