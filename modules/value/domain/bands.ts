/** What customers will bring: the mean, and quantiles of 10, 50 and 90 %. One entry each. */
export interface Bands {
  readonly mean: Float64Array;
  readonly low: Float64Array;
  readonly median: Float64Array;
  readonly high: Float64Array;
}

/** Quantiles of low and high, and the share between them. */
export const BAND = { low: 0.1, median: 0.5, high: 0.9, share: 0.8 } as const;

/** A part of a minor unit: the least that high is, so that an amount has a ratio to it. */
const LEAST = 0.001;

/**
 * Puts the three quantiles of each customer into order, which never takes them farther from the truth (Chernozhukov,
 * Fernández-Val, Galichon, "Quantile and probability curves without crossing", Econometrica 78, 2010). Nobody brings less than nothing.
 */
export function rearranged({ mean, low, median, high }: Bands): Bands {
  const rows = mean.length;
  const sorted: Bands = {
    mean: mean.map((value) => Math.max(0, value)),
    low: new Float64Array(rows),
    median: new Float64Array(rows),
    high: new Float64Array(rows),
  };
  const three = new Float64Array(3);
  for (let row = 0; row < rows; row++) {
    three.set([low[row] as number, median[row] as number, high[row] as number]);
    three.sort();
    sorted.low[row] = Math.max(0, three[0] as number);
    sorted.median[row] = Math.max(0, three[1] as number);
    sorted.high[row] = Math.max(LEAST, three[2] as number);
  }
  return sorted;
}

/**
 * By how much each band is stretched, low divided and high multiplied, so that it holds `BAND.share` of those who buy: conformalised
 * quantile regression (Romano, Patterson, Candès, NeurIPS 2019) on the logarithm of amounts, which makes it a factor and free of
 * units. Calibrated on those who bought, as about the others a lower end of 0 is right by itself.
 * @param bought what came, of customers who were not learnt from
 * @param among the rows to look at; all when left out
 * @returns below 1 when the band is too wide; null when fewer bought than the share can be told from
 */
export function stretchFor(bought: Float64Array, bands: Bands, among?: (row: number) => boolean): number | null {
  const misses: number[] = [];
  for (const [row, amount] of bought.entries()) {
    if (amount <= 0 || among?.(row) === false) continue;
    const logAmount = Math.log(amount);
    const low = bands.low[row] as number;
    misses.push(Math.max(Math.log(low) - logAmount, logAmount - Math.log(bands.high[row] as number)));
  }
  const place = Math.ceil((misses.length + 1) * BAND.share);
  if (place > misses.length) return null;
  return Math.exp(Float64Array.from(misses).sort()[place - 1] as number);
}

/** Bands stretched by a factor of their own each; the median stays within. */
export function stretched({ mean, low, median, high }: Bands, factorOf: (row: number) => number): Bands {
  return {
    mean,
    median,
    low: low.map((value, row) => Math.min(value / factorOf(row), median[row] as number)),
    high: high.map((value, row) => Math.max(value * factorOf(row), median[row] as number)),
  };
}
