import { InvalidInput } from './errors.ts';

/** An exact amount: integer minor units (cents, pence, yen) of an ISO 4217 currency. */
export interface Money {
  readonly amountMinor: number;
  readonly currency: string;
}

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** Whether a text is an ISO 4217 code in use. */
export const isCurrency = (code: string): boolean => CURRENCIES.has(code);

const digitsOf = new Map<string, number>();

/** Decimal places of a currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217). */
export function minorUnitDigits(currency: string): number {
  let digits = digitsOf.get(currency);
  if (digits === undefined) {
    if (!isCurrency(currency))
      throw new InvalidInput(`"${currency}" is not an ISO 4217 currency code such as EUR.`, { path: ['currency'] });
    digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
    digitsOf.set(currency, digits);
  }
  return digits;
}

/** @throws InvalidInput when the amount is no safe integer or the currency unknown */
export function money(amountMinor: number, currency: string): Money {
  if (!Number.isSafeInteger(amountMinor)) {
    throw new InvalidInput(`${amountMinor} is not a whole number of minor units within ±2^53.`, {
      path: ['amountMinor'],
    });
  }
  minorUnitDigits(currency);
  return { amountMinor, currency };
}

const DECIMAL = /^([+-]?)(\d{1,15})(?:\.(\d+))?$/;

/**
 * Reads a decimal text exactly and rounds half away from zero to minor units, e.g. `"2.555"` EUR → 256.
 * @throws InvalidInput when the text is no plain decimal number
 */
export function parseMoney(text: string, currency: string): Money {
  const match = DECIMAL.exec(text.trim());
  if (match === null) throw new InvalidInput(`"${text}" is not an amount such as 12.50.`, { path: ['amount'] });
  const digits = minorUnitDigits(currency);
  const fraction = (match[3] ?? '').padEnd(digits + 1, '0');
  const minor = BigInt(`${match[2]}${fraction.slice(0, digits)}`) + (Number(fraction[digits]) >= 5 ? 1n : 0n);
  return money(Number(match[1] === '-' ? -minor : minor), currency);
}

/** Plain decimal text in major units, e.g. 1205 EUR → `12.05`. */
export function formatMinor({ amountMinor, currency }: Money): string {
  const digits = minorUnitDigits(currency);
  const text = Math.abs(amountMinor)
    .toString()
    .padStart(digits + 1, '0');
  const sign = amountMinor < 0 ? '-' : '';
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** For people, in English: `£8,887,208.89`. */
export function formatMoney(amount: Money): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency: amount.currency });
  return format.format(formatMinor(amount) as `${number}`);
}

/** Whole units of the currency, cut towards zero: what "one point per whole unit" counts. */
export function wholeUnits({ amountMinor, currency }: Money): number {
  return Math.trunc(amountMinor / 10 ** minorUnitDigits(currency));
}
