import { type Column, shownValue } from './column.ts';
import { UnusableData } from './errors.ts';
import { truthOf } from './features.ts';
import type { LossOption } from './loss.ts';
import { numbersOf, placeOf, type Table } from './table.ts';

export interface Labels {
  readonly values: Float64Array;
  /** The text that counts as 1; null for a regression. */
  readonly positive: string | null;
}

/** Values listed in an error. */
const SHOWN_MAX = 6;

/** @throws UnusableData naming the first label that cannot be */
export function labelsOf(table: Table, column: Column, loss: LossOption): Labels {
  return loss.kind === 'logistic'
    ? classesOf(table, column)
    : { values: amountsOf(table, column, loss), positive: null };
}

function classesOf(table: Table, column: Column): Labels {
  const missing = column.values.findIndex((value) => Number.isNaN(value));
  if (missing >= 0) {
    throw new UnusableData(placeOf(table, column, missing), 'is no label.', 'Fill it in, or leave the row out.');
  }
  const place = { file: table.file, column: column.name };
  const found = [...new Set(column.values)].sort((a, b) => a - b);
  const textOf = (value: number) => shownValue(column, column.values.indexOf(value));
  if (found.length !== 2) {
    const shown = found.slice(0, SHOWN_MAX).map((value) => `"${textOf(value)}"`);
    const more = found.length > shown.length ? ', ...' : '';
    throw new UnusableData(
      place,
      `holds ${found.length} different value${found.length === 1 ? '' : 's'} (${shown.join(', ')}${more}), and the logistic loss needs two.`,
      found.length === 1 ? 'Give rows of both kinds.' : 'Give a label of two kinds, or --loss squared for amounts.',
    );
  }
  const [low, high] = found as [number, number];
  // Of yes and no, yes is 1; of other texts the later in the alphabet, of numbers the larger.
  const one = truthOf(textOf(low)) === 1 && truthOf(textOf(high)) === 0 ? low : high;
  const values = column.values.map((value) => (value === one ? 1 : 0));
  const positives = values.reduce((sum, value) => sum + value, 0);
  if (Math.min(positives, values.length - positives) < 2) {
    const rare = positives < 2 ? textOf(one) : textOf(one === low ? high : low);
    throw new UnusableData(
      { ...place, value: rare },
      'comes only once: there is nothing to learn it from and test it on.',
      'Give at least two rows of each kind.',
    );
  }
  return { values, positive: textOf(one) };
}

function amountsOf(table: Table, column: Column, loss: LossOption): Float64Array {
  const values = numbersOf(table, column.name, '--label');
  if (loss.kind !== 'tweedie' && loss.kind !== 'poisson') return values;
  const negative = values.findIndex((value) => value < 0);
  if (negative >= 0) {
    throw new UnusableData(
      placeOf(table, column, negative),
      `is below 0, which the ${loss.kind} loss does not know.`,
      'Use --loss squared, or leave the row out.',
    );
  }
  if (values.every((value) => value === 0)) {
    throw new UnusableData(
      { file: table.file, column: column.name },
      'is 0 in every row.',
      'Give rows with an amount.',
    );
  }
  return values;
}
