import type { LocalRule } from '../findings.ts';
import type { ImportOptions } from '../model.ts';
import { columnOf, textOf } from '../pipeline.ts';
import { moment, quote } from '../sql.ts';

const CURRENCIES = Intl.supportedValuesOf('currency');

/** Longest texts, as for orders that come through the API. */
const MAX_ID = 200;
const MAX_DESCRIPTION = 500;

/** Rules that make a line unreadable: it is refused, since nothing could be stored of it. */
export function readingRules(options: ImportOptions): LocalRule[] {
  const raw = (field: string): string => textOf(options, field);
  const missing = (field: string): LocalRule => ({
    rule: `${snake(field)}_MISSING`,
    category: 'MISSING',
    severity: 'ERROR',
    field,
    broken: `${raw(field)} = ''`,
    value: "''",
  });
  const unreadable = (field: string, column: string): LocalRule => ({
    rule: `${snake(field)}_UNREADABLE`,
    category: 'SCHEMA',
    severity: 'ERROR',
    field,
    broken: `${raw(field)} != '' AND ${column} IS NULL`,
    value: raw(field),
  });
  const tooLong = (field: string, max: number): LocalRule => ({
    rule: `${snake(field)}_TOO_LONG`,
    category: 'SCHEMA',
    severity: 'ERROR',
    field,
    broken: `lengthUTF8(${raw(field)}) > ${max}`,
    value: raw(field),
  });
  return [
    missing('orderId'),
    missing('product'),
    missing('quantity'),
    missing('unitPrice'),
    missing('placedAt'),
    unreadable('quantity', 'quantity'),
    unreadable('unitPrice', 'unit_price'),
    unreadable('placedAt', 'at'),
    tooLong('orderId', MAX_ID),
    tooLong('lineId', MAX_ID),
    tooLong('product', MAX_ID),
    tooLong('customerExternalId', MAX_ID),
    tooLong('description', MAX_DESCRIPTION),
    {
      rule: 'CURRENCY_UNKNOWN',
      category: 'SCHEMA',
      severity: 'ERROR',
      field: 'currency',
      broken: `currency NOT IN (${CURRENCIES.map(quote).join(', ')})`,
      value: 'currency',
    },
    {
      rule: 'IN_FUTURE',
      category: 'TIME',
      severity: 'ERROR',
      field: 'placedAt',
      broken: `at > ${moment(options.notAfter)}`,
      value: raw('placedAt'),
    },
    {
      rule: 'BEFORE_BUSINESS',
      category: 'TIME',
      severity: 'ERROR',
      field: 'placedAt',
      broken: `at < ${moment(options.notBefore)}`,
      value: raw('placedAt'),
    },
  ];
}

/** Rules on lines that can be read. What breaks an ERROR is taken out by a stage of cleaning. */
export function valueRules(options: ImportOptions): LocalRule[] {
  const describes = columnOf(options, 'description') !== null;
  return [
    {
      rule: 'CUSTOMER_MISSING',
      category: 'IDENTITY',
      severity: 'ERROR',
      field: 'customerExternalId',
      broken: `customer = ''`,
      value: "''",
    },
    {
      rule: 'QUANTITY_NOT_POSITIVE',
      category: 'RANGES',
      severity: 'ERROR',
      field: 'quantity',
      broken: 'NOT is_return AND quantity <= 0',
      value: 'toString(quantity)',
    },
    {
      rule: 'UNIT_PRICE_NOT_POSITIVE',
      category: 'RANGES',
      severity: 'ERROR',
      field: 'unitPrice',
      broken: 'NOT is_return AND unit_price <= 0',
      value: 'toString(unit_price)',
    },
    {
      rule: 'RETURN',
      category: 'RETURNS',
      severity: 'INFO',
      field: 'orderId',
      broken: 'is_return',
      value: 'order_id',
    },
    {
      rule: 'RETURN_OF_NOTHING',
      category: 'RETURNS',
      severity: 'WARNING',
      field: 'quantity',
      broken: 'is_return AND quantity = 0',
      value: 'toString(quantity)',
    },
    ...(describes
      ? [
          {
            rule: 'DESCRIPTION_MISSING',
            category: 'MISSING',
            severity: 'WARNING',
            field: 'description',
            broken: `description = ''`,
            value: "''",
          } satisfies LocalRule,
        ]
      : []),
  ];
}

/** SQL of the lines that can be read. */
export const isReadable = (options: ImportOptions): string =>
  `NOT (${readingRules(options)
    .map(({ broken }) => `ifNull(toBool(${broken}), false)`)
    .join(' OR ')})`;

const snake = (name: string): string =>
  name === 'customerExternalId' ? 'CUSTOMER' : name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
