import type { LocalRule } from '../findings.ts';
import type { ImportOptions } from '../model.ts';
import { columnOf, textOf } from '../pipeline.ts';
import { moment, quote } from '../sql.ts';
import { catalogueRules } from './catalogue-rules.ts';

const CURRENCIES = Intl.supportedValuesOf('currency');
const MAX_TEXT = 200;
const MAX_PROPERTIES = 32_768;

type Category = LocalRule['category'];

/** The rules of recordEvents, said in SQL over the staged columns. */
export function eventRules(options: ImportOptions): LocalRule[] {
  const raw = (field: string): string => textOf(options, field);
  const error = (rule: string, category: Category, field: string, broken: string, value = raw(field)): LocalRule => ({
    rule,
    category,
    severity: 'ERROR',
    field,
    broken,
    value,
  });
  const isMapped = (field: string): boolean => columnOf(options, field) !== null;
  return [
    error('NAME_MISSING', 'MISSING', 'name', `name = ''`),
    error('NAME_TOO_LONG', 'SCHEMA', 'name', `lengthUTF8(name) > ${MAX_TEXT}`),
    error('AT_MISSING', 'MISSING', 'at', `${raw('at')} = ''`),
    error('AT_UNREADABLE', 'SCHEMA', 'at', `at IS NULL AND ${raw('at')} != ''`),
    error('IN_FUTURE', 'TIME', 'at', `at > ${moment(options.notAfter)}`),
    error('BEFORE_BUSINESS', 'TIME', 'at', `at < ${moment(options.notBefore)}`),
    error('CUSTOMER_MISSING', 'IDENTITY', 'customerExternalId', `customer = ''`),
    error('CUSTOMER_TOO_LONG', 'SCHEMA', 'customerExternalId', `lengthUTF8(customer) > ${MAX_TEXT}`),
    ...(isMapped('id') ? [error('ID_TOO_LONG', 'SCHEMA', 'id', `lengthUTF8(source_id) > ${MAX_TEXT}`)] : []),
    ...(isMapped('value')
      ? [
          error('VALUE_UNREADABLE', 'SCHEMA', 'value', `value IS NULL AND ${raw('value')} != ''`),
          error('VALUE_NEGATIVE', 'RANGES', 'value', `currency != '' AND value < 0`),
        ]
      : []),
    ...(isMapped('currency')
      ? [
          error(
            'CURRENCY_UNKNOWN',
            'SCHEMA',
            'currency',
            `currency != '' AND currency NOT IN (${CURRENCIES.map(quote).join(', ')})`,
          ),
          error('VALUE_MISSING', 'MISSING', 'value', `currency != '' AND ${raw('value')} = ''`),
        ]
      : []),
    ...(isMapped('properties')
      ? [
          error(
            'PROPERTIES_UNREADABLE',
            'SCHEMA',
            'properties',
            `${raw('properties')} NOT IN ('', '{}') AND JSONType(${raw('properties')}) != 'Object'`,
          ),
        ]
      : []),
    error('PROPERTIES_TOO_LONG', 'SCHEMA', 'properties', `lengthUTF8(properties) > ${MAX_PROPERTIES}`, 'properties'),
    ...catalogueRules(),
  ];
}
