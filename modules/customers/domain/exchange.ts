import { minorUnitDigits } from '../../../src/core/money.ts';

/**
 * Exact: the decimal rate is applied as an integer and the result rounded half away from zero.
 * @returns minor units of `to`; null beyond 2^53
 */
export function exchange(amountMinor: number, from: string, to: string, rate: string): number | null {
  const [whole = '0', fraction = ''] = rate.split('.');
  const scaled = BigInt(whole + fraction);
  const shift = fraction.length + minorUnitDigits(from) - minorUnitDigits(to);
  const product = BigInt(amountMinor) * scaled;
  if (shift <= 0) return safe(product * 10n ** BigInt(-shift));
  const divisor = 10n ** BigInt(shift);
  const half = product < 0n ? -(divisor / 2n) : divisor / 2n;
  return safe((product + half) / divisor);
}

const safe = (amount: bigint): number | null => (Number.isSafeInteger(Number(amount)) ? Number(amount) : null);
