import { coverage, meanAbsoluteError, pinballLoss, spearman } from '../../../src/learning/metrics/index.ts';
import { BAND, type Bands } from './bands.ts';

/** Measures by name; amounts in major units. */
export type Errors = Readonly<Record<string, number | null>>;

/** How far each method was from what customers brought who were held out, the same customers for all. */
export interface HoldoutErrors {
  readonly HISTORICAL: Errors;
  readonly BG_NBD: Errors;
  readonly TREES: Errors;
}

/** The measure that methods are compared by. */
export const HOLDOUT_ERROR = 'holdoutMeanAbsoluteError';

/** Errors of one amount a customer. None where a method is silent about some of them, for they would be other customers. */
export function errorsOf(bought: Float64Array, expected: Float64Array): Errors {
  if (expected.some(Number.isNaN)) return {};
  return {
    holdoutCustomers: bought.length,
    [HOLDOUT_ERROR]: meanAbsoluteError(bought, expected),
    holdoutSpearman: spearman(bought, expected),
  };
}

/** The same of the mean, with how well the quantiles do. */
export function holdoutErrors(bought: Float64Array, bands: Bands): Errors {
  const buyers = Array.from(bought.keys()).filter((row) => (bought[row] as number) > 0);
  const ofBuyers = (values: Float64Array) => Float64Array.from(buyers, (row) => values[row] as number);
  return {
    ...errorsOf(bought, bands.mean),
    holdoutBuyers: buyers.length,
    holdoutBandShareOfBuyers:
      buyers.length === 0 ? null : coverage(ofBuyers(bought), ofBuyers(bands.low), ofBuyers(bands.high)),
    holdoutBandShareOfAll: coverage(bought, bands.low, bands.high),
    holdoutPinball10: pinballLoss(bought, bands.low, BAND.low),
    holdoutPinball50: pinballLoss(bought, bands.median, BAND.median),
    holdoutPinball90: pinballLoss(bought, bands.high, BAND.high),
  };
}
