import type { MoneyShape } from './shapes.ts';
import type { Builder } from './types.ts';

const formatters = new Map<string, Intl.NumberFormat>();

function format({ amountMinor, currency }: MoneyShape): string {
  let formatter = formatters.get(currency);
  if (formatter === undefined) {
    formatter = new Intl.NumberFormat('en-GB', { style: 'currency', currency, currencyDisplay: 'code' });
    formatters.set(currency, formatter);
  }
  const digits = formatter.resolvedOptions().maximumFractionDigits ?? 2;
  return formatter.format(amountMinor / 10 ** digits).replace(/\u00a0/g, ' ');
}

/** Declares `Money`: `t.field({ type: 'Money', resolve: ... => ({ amountMinor, currency }) })`. */
export function registerMoney(builder: Builder): void {
  builder.objectType('Money', {
    description: 'An amount of money: whole minor units (pence, cents) and their currency.',
    fields: (t) => ({
      amountMinor: t.expose('amountMinor', { type: 'SafeInt', description: 'Whole minor units, e.g. 1250 for 12.50.' }),
      currency: t.expose('currency', { type: 'Currency', description: 'The currency by ISO 4217.' }),
      formatted: t.string({ description: 'For people, e.g. "GBP 12.50".', resolve: format }),
    }),
  });
}
