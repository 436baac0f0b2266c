import type { DerivedColumn, StageColumn } from '../../../../src/core/analytics/index.ts';
import { catalogueNames, knownEvent } from '../../catalogue.ts';
import { FIELDS } from '../domain/fields.ts';
import type { ImportOptions } from '../model.ts';
import { columnOf, stageColumnName, textOf } from '../pipeline.ts';
import { parseDecimal, parseTime, quote, quoteList } from '../sql.ts';

/** A staging column for each mapped field. */
export const eventColumns = (options: ImportOptions): StageColumn[] =>
  FIELDS.EVENTS.flatMap(({ name, required }) => {
    const from = columnOf(options, name);
    return from === null ? [] : [{ name: stageColumnName(name), from, required }];
  });

/** Names of the catalogue whose value is money. */
const MONEY_NAMES = catalogueNames.filter((name) => knownEvent(name)?.money !== undefined);

/** SQL of events that go through the orders, because they name one. */
export const IS_OF_ORDER = `(name IN ('order.placed', 'order.returned') AND JSONHas(properties, 'orderId'))`;

/** The values of an event, worked out once while it is staged. */
export function eventValues(options: ImportOptions): DerivedColumn[] {
  const text = (field: string): string => textOf(options, field);
  const own = Object.keys(options.eventNames);
  const known = Object.values(options.eventNames);
  const name =
    own.length === 0
      ? text('name')
      : `transform(${text('name')}, ${quoteList(own)}, ${quoteList(known)}, ${text('name')})`;
  const given = columnOf(options, 'properties') === null ? null : text('properties');
  const mappedFrom = own.length === 0 ? null : `if(has(${quoteList(own)}, ${text('name')}), ${text('name')}, '')`;
  return [
    { name: 'source_id', type: 'String', sql: text('id'), kept: false },
    { name: 'name', type: 'LowCardinality(String)', sql: name },
    {
      name: 'at',
      type: "Nullable(DateTime64(3, 'UTC'))",
      sql: parseTime(text('at'), options.dateFormat, options.timeZone),
    },
    { name: 'customer', type: 'String', sql: text('customerExternalId'), kept: false },
    { name: 'value', type: 'Nullable(Decimal(20, 6))', sql: parseDecimal(text('value'), 20, 6) },
    {
      name: 'currency',
      type: 'LowCardinality(String)',
      sql: `if(${text('currency')} = '' AND ${text('value')} != '' AND name IN (${MONEY_NAMES.map(quote).join(', ')}), ${quote(options.currency)}, upper(${text('currency')}))`,
    },
    {
      name: 'properties',
      type: 'String',
      sql: propertiesSql(given, mappedFrom, options.hasMoreColumns),
      kept: options.hasMoreColumns || mappedFrom !== null,
    },
  ];
}

/** The JSON object of an event: its own properties, the columns not mapped, and the name it was mapped from. */
function propertiesSql(given: string | null, mappedFrom: string | null, hasMore: boolean): string {
  // What is no object is refused by a rule of its own; here it must only not spoil the text.
  if (!hasMore && mappedFrom === null) return given === null ? `'{}'` : `if(${given} = '', '{}', ${given})`;
  const parts = hasMore ? ['extra'] : [];
  if (given !== null) parts.unshift(`if(startsWith(${given}, '{') AND endsWith(${given}, '}'), ${given}, '{}')`);
  if (mappedFrom !== null) {
    parts.push(`if(${mappedFrom} = '', '{}', concat('{"mappedFrom":', toJSONString(${mappedFrom}), '}'))`);
  }
  if (given === null && mappedFrom === null) return 'extra';
  const inner = parts.map((part) => `trimBoth(substring(${part}, 2, length(${part}) - 2))`);
  return `concat('{', arrayStringConcat(arrayFilter(part -> part != '', [${inner.join(', ')}]), ','), '}')`;
}
