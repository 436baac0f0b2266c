import {
  conditionalPurchases,
  discountedPurchases,
  expectedValue,
  type FitOutcome,
  fitBgNbd,
  fitGammaGamma,
  LifetimeDataError,
  probabilityAlive,
} from '../../../src/learning/lifetime/index.ts';
import { pearson } from '../../../src/learning/metrics/index.ts';

/** Customers as BG/NBD and Gamma-Gamma see them, one entry each; purchases of one day count once, time in days. */
export interface PurchaseFacts {
  /** Days with an order after the first one. */
  readonly x: Float64Array;
  /** From the first to the last of them. */
  readonly tx: Float64Array;
  /** From the first to the snapshot; above 0. */
  readonly T: Float64Array;
  /** Mean amount of a day after the first; 0 without one. */
  readonly meanAmount: Float64Array;
}

export interface LifetimeOptions {
  readonly horizonMonths: number;
  /** Discount a year, e.g. 0.1. */
  readonly annualDiscountRate: number;
}

/** What is expected of each customer, and the models it comes from. */
export interface LifetimeEstimate {
  /** Purchases within the horizon: what to rank by. */
  readonly purchases: Float64Array;
  /** Never rank by this: who never came back has 1. */
  readonly alive: Float64Array;
  /** Amount of a purchase; NaN where the model expects none that is finite. */
  readonly orderAmount: Float64Array;
  /** Discounted amount within the horizon; NaN where the amount of a purchase is. */
  readonly amount: Float64Array;
  readonly parameters: Readonly<Record<string, number>>;
  readonly measures: Readonly<Record<string, number | null>>;
  /** What is to be known of the fit, in words. */
  readonly remarks: readonly string[];
}

export type LifetimeOutcome =
  | { readonly estimate: LifetimeEstimate; readonly problem: null }
  | { readonly estimate: null; readonly problem: string };

/** Mean length of a month. */
export const MONTH_DAYS = 365.25 / 12;

/**
 * Fits BG/NBD (how often, how long) and Gamma-Gamma (how much) and reckons what each customer will bring.
 * Says why when the data allow no fit.
 */
export function estimateLifetime(facts: PurchaseFacts, options: LifetimeOptions): LifetimeOutcome {
  try {
    return { estimate: fitAndExpect(facts, options), problem: null };
  } catch (error) {
    if (error instanceof LifetimeDataError) return { estimate: null, problem: `${error.message}.` };
    throw error;
  }
}

function fitAndExpect({ x, tx, T, meanAmount }: PurchaseFacts, options: LifetimeOptions): LifetimeEstimate {
  const bgNbd = fitBgNbd({ x, tx, T });
  const gammaGamma = fitGammaGamma(x, meanAmount);
  const months = options.horizonMonths;
  const monthlyDiscount = (1 + options.annualDiscountRate) ** (1 / 12) - 1;
  const customers = x.length;
  const estimate = {
    purchases: new Float64Array(customers),
    alive: new Float64Array(customers),
    orderAmount: new Float64Array(customers),
    amount: new Float64Array(customers),
  };
  // Customers alike in what the model looks at are reckoned once.
  const known = new Map<string, readonly [purchases: number, discounted: number, alive: number]>();
  for (let row = 0; row < customers; row++) {
    const customer = { x: x[row] as number, tx: tx[row] as number, T: T[row] as number };
    const key = `${customer.x} ${customer.tx} ${customer.T}`;
    let expected = known.get(key);
    if (expected === undefined) {
      expected = [
        conditionalPurchases(bgNbd.parameters, customer, months * MONTH_DAYS),
        discountedPurchases(bgNbd.parameters, customer, { month: MONTH_DAYS, months, monthlyDiscount }),
        probabilityAlive(bgNbd.parameters, customer),
      ];
      known.set(key, expected);
    }
    const [purchases, discounted, alive] = expected;
    const orderAmount = expectedValue(gammaGamma.parameters, customer.x, meanAmount[row] as number) ?? Number.NaN;
    estimate.purchases[row] = purchases;
    estimate.alive[row] = alive;
    estimate.orderAmount[row] = orderAmount;
    estimate.amount[row] = discounted * orderAmount;
  }
  return {
    ...estimate,
    parameters: { ...bgNbd.parameters, ...gammaGamma.parameters },
    measures: {
      logLikelihood: bgNbd.logLikelihood,
      customers: bgNbd.customers,
      gammaGammaLogLikelihood: gammaGamma.logLikelihood,
      gammaGammaCustomers: gammaGamma.customers,
      frequencyAmountCorrelation: correlationOfReturning(x, meanAmount),
    },
    remarks: [...remarksOn('BG/NBD', bgNbd), ...remarksOn('Gamma-Gamma', gammaGamma)],
  };
}

/** What customers bring within so many days by the same models, undiscounted; NaN where none is expected, null when the data allow no fit. */
export function expectWithin({ x, tx, T, meanAmount }: PurchaseFacts, days: number): Float64Array | null {
  try {
    const { parameters } = fitBgNbd({ x, tx, T });
    const amounts = fitGammaGamma(x, meanAmount).parameters;
    return x.map((repeats, row) => {
      const purchases = conditionalPurchases(
        parameters,
        { x: repeats, tx: tx[row] as number, T: T[row] as number },
        days,
      );
      return purchases * (expectedValue(amounts, repeats, meanAmount[row] as number) ?? Number.NaN);
    });
  } catch (error) {
    if (error instanceof LifetimeDataError) return null;
    throw error;
  }
}

/** Gamma-Gamma takes how often and how much as independent: how far that holds. */
function correlationOfReturning(x: Float64Array, meanAmount: Float64Array): number | null {
  const rows = Array.from(x.keys()).filter((row) => (x[row] as number) > 0);
  if (rows.length < 2) return null;
  return pearson(
    rows.map((row) => x[row] as number),
    rows.map((row) => meanAmount[row] as number),
  );
}

const remarksOn = (model: string, { problem, boundaries }: FitOutcome): string[] => [
  ...(problem === null ? [] : [`${model}: ${problem}`]),
  ...boundaries.map(({ parameter, meaning }) => `${model}, ${parameter}: ${meaning}`),
];
