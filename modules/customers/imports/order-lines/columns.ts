import type { DerivedColumn, StageColumn } from '../../../../src/core/analytics/index.ts';
import { FIELDS } from '../domain/fields.ts';
import type { ImportOptions } from '../model.ts';
import { columnOf, stageColumnName, textOf } from '../pipeline.ts';
import { parseDecimal, parseTime, quote } from '../sql.ts';

/** A staging column for each mapped field. */
export const orderColumns = (options: ImportOptions): StageColumn[] =>
  FIELDS.ORDERS.flatMap(({ name, required }) => {
    const from = columnOf(options, name);
    return from === null ? [] : [{ name: stageColumnName(name), from, required }];
  });

/** The values of a line, worked out once while it is staged; rules, cleaning and loading read these. */
export function orderValues(options: ImportOptions): DerivedColumn[] {
  const text = (field: string): string => textOf(options, field);
  const prefix = options.returns.orderPrefix;
  const isCancellation =
    prefix === ''
      ? 'false'
      : `(startsWith(order_id, ${quote(prefix)}) AND match(substring(order_id, ${prefix.length + 1}, 1), '[0-9]'))`;
  const saysReturned = `lower(${text('returned')}) IN ('true', '1', 'yes', 'y')`;
  const everything = orderColumns(options).map(({ name }) => name);
  return [
    { name: 'order_id', type: 'String', sql: text('orderId') },
    { name: 'line_id', type: 'String', sql: text('lineId') },
    { name: 'product', type: 'String', sql: text('product') },
    { name: 'description', type: 'String', sql: text('description') },
    { name: 'quantity', type: 'Nullable(Decimal(18, 3))', sql: parseDecimal(text('quantity'), 18, 3) },
    { name: 'unit_price', type: 'Nullable(Decimal(18, 4))', sql: parseDecimal(text('unitPrice'), 18, 4) },
    {
      name: 'currency',
      type: 'LowCardinality(String)',
      sql: `if(${text('currency')} = '', ${quote(options.currency)}, upper(${text('currency')}))`,
    },
    {
      name: 'at',
      type: "Nullable(DateTime64(3, 'UTC'))",
      sql: parseTime(text('placedAt'), options.dateFormat, options.timeZone),
    },
    { name: 'customer', type: 'String', sql: text('customerExternalId') },
    { name: 'country', type: 'LowCardinality(String)', sql: text('country') },
    { name: 'is_return', type: 'Bool', sql: `${isCancellation} OR ${saysReturned}` },
    // Equal rows have equal hashes; 128 bits make the reverse safe for any file that fits on a disk.
    { name: 'row_hash', type: 'FixedString(16)', sql: `sipHash128(${[...everything, 'extra'].join(', ')})` },
  ];
}
