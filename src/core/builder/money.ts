import { ObjectRef } from '@pothos/core';
import type { Builder, BuilderTypes } from './types.ts';

/** An amount as modules hand it to the schema. */
export interface MoneyShape {
  readonly amountMinor: number;
  readonly currency: string;
}

/** The `Money` type: `t.field({ type: moneyRef, resolve: ... => ({ amountMinor, currency }) })`. */
export const moneyRef = new ObjectRef<BuilderTypes, MoneyShape>('Money');

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

/** Declares `Money` in a schema. */
export function registerMoney(builder: Builder): void {
  builder.objectType(moneyRef, {
    name: 'Money',
    description: 'An amount of money: whole minor units (pence, cents) and their currency.',
    fields: (t) => ({
      amountMinor: t.field({
        type: 'SafeInt',
        description: 'Whole minor units, e.g. 1250 for 12.50.',
        resolve: (m) => m.amountMinor,
      }),
      currency: t.field({ type: 'Currency', description: 'The currency by ISO 4217.', resolve: (m) => m.currency }),
      formatted: t.string({ description: 'For people, e.g. "GBP 12.50".', resolve: format }),
    }),
  });
}
