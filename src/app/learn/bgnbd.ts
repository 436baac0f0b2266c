import {
  type Boundary,
  fitBgNbd,
  fitGammaGamma,
  type GammaGammaFit,
  LifetimeDataError,
  type PurchaseHistory,
} from '../../learning/lifetime/index.ts';
import { UnusableData } from './errors.ts';
import { findColumn, numbersOf, placeOf, readTable, type Table } from './table.ts';

export interface LifetimeReport {
  readonly params: { readonly r: number; readonly alpha: number; readonly a: number; readonly b: number };
  readonly logLikelihood: number;
  /** Null without a column of values, or when too few came back to learn from. */
  readonly gammaGamma: { readonly p: number; readonly q: number; readonly gamma: number } | null;
  readonly customers: number;
  readonly converged: boolean;
  /** Why it did not converge; null when it did. */
  readonly problem: string | null;
  /** Parameters that ran to a limit, and what that means. */
  readonly boundaries: readonly Boundary[];
  readonly gammaGammaFit: Omit<GammaGammaFit, 'parameters' | 'iterations'> | { readonly problem: string } | null;
}

const VALUE_COLUMN = 'mean_repeat_value';

/**
 * Fits BG/NBD to the columns x, t_x and T of a file, and Gamma-Gamma when it has mean_repeat_value.
 * @throws UnusableData naming the line that cannot be
 */
export async function fitLifetime(file: string): Promise<LifetimeReport> {
  const table = await readTable(file);
  const history: PurchaseHistory = {
    x: numbersOf(table, 'x', '--data'),
    tx: numbersOf(table, 't_x', '--data'),
    T: numbersOf(table, 'T', '--data'),
  };
  const { parameters, logLikelihood, customers, converged, problem, boundaries } = naming(table, () =>
    fitBgNbd(history),
  );
  const { r, alpha, a, b } = parameters;
  const values = fitValues(table, history.x);
  return {
    params: { r, alpha, a, b },
    logLikelihood,
    gammaGamma: values === null || !('parameters' in values) ? null : values.parameters,
    customers,
    converged,
    problem,
    boundaries,
    gammaGammaFit: values === null || !('parameters' in values) ? values : withoutParameters(values),
  };
}

const withoutParameters = ({ parameters: _, iterations: __, ...rest }: GammaGammaFit) => rest;

function fitValues(table: Table, x: Float64Array): GammaGammaFit | { readonly problem: string } | null {
  const column = findColumn(table, VALUE_COLUMN);
  if (column === null) return null;
  const means = numbersOf(table, VALUE_COLUMN, '--data', Number.NaN);
  const blank = means.findIndex((mean, row) => Number.isNaN(mean) && x[row]! > 0);
  if (blank >= 0) {
    throw new UnusableData(
      placeOf(table, column, blank),
      'is missing for a customer who came back.',
      'Fill it in, or leave the row out.',
    );
  }
  try {
    return fitGammaGamma(x, means);
  } catch (error) {
    // That nobody paid twice is a fact about the business, not a mistake in the file.
    if (error instanceof LifetimeDataError && error.row === null) return { problem: error.message };
    return naming(table, () => {
      throw error;
    });
  }
}

/** Says of what row of which file the numerics complain. */
function naming<Result>(table: Table, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LifetimeDataError) || error.row === null) throw error;
    const place = { file: table.file, column: error.field, line: table.lines[error.row] ?? 0 };
    throw new UnusableData(place, `${error.problem}.`, 'Mend it, or leave the row out.');
  }
}
