/** What a line of an order is worth. */
export interface OrderLine {
  /** At most three decimals. */
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly returnedQuantity?: number | null | undefined;
}

/** Exact: quantities are counted in thousandths, and a half minor unit is rounded up. */
function worth(quantity: number, unitPriceMinor: number): bigint {
  return (BigInt(Math.round(quantity * 1_000)) * BigInt(unitPriceMinor) + 500n) / 1_000n;
}

const total = (amounts: readonly bigint[]): number | null => {
  const sum = Number(amounts.reduce((a, b) => a + b, 0n));
  return Number.isSafeInteger(sum) ? sum : null;
};

/** The sum of the lines, in minor units; null beyond 2^53. */
export const linesAmount = (lines: readonly OrderLine[]): number | null =>
  total(lines.map((line) => worth(line.quantity, line.unitPriceMinor)));

/** What of it was returned; null beyond 2^53. */
export const linesReturned = (lines: readonly OrderLine[]): number | null =>
  total(lines.map((line) => worth(line.returnedQuantity ?? 0, line.unitPriceMinor)));
