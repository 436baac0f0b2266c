import { z } from 'zod';
import { CATALOGUE, type KnownEvent } from '../../catalogue.ts';
import type { LocalRule } from '../findings.ts';
import { quote } from '../sql.ts';

/** What JSON Schema says of one member of an event's properties, as far as the catalogue uses it. */
interface MemberSchema {
  readonly type?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly enum?: readonly string[];
}

/**
 * The catalogue said in SQL: the same schemas that check events of the API, read as JSON Schema.
 * @throws Error when an entry uses something this cannot say, so that no rule is lost unnoticed
 */
export function catalogueRules(): LocalRule[] {
  const properties: string[] = [];
  const values: string[] = [];
  const money: string[] = [];
  for (const [name, known] of Object.entries(CATALOGUE) as [string, KnownEvent][]) {
    const faults = propertyFaults(name, known);
    if (faults.length > 0) properties.push(`name = ${quote(name)}, ${faults.join(' OR ')}`);
    if (known.value !== undefined) {
      const { min, max, required } = known.value;
      const beyond = `value < ${min} OR value > ${max}`;
      values.push(
        `name = ${quote(name)} AND (${required === true ? `value IS NULL OR ${beyond}` : `value IS NOT NULL AND (${beyond})`})`,
      );
    }
    if (known.money === 'required') money.push(name);
  }
  return [
    {
      rule: 'PROPERTIES_UNFIT',
      category: 'SCHEMA',
      severity: 'ERROR',
      field: 'properties',
      // One branch for each name, so that only its own members are read out of the JSON.
      broken: `multiIf(${[...properties, 'false'].join(', ')})`,
      value: "concat(name, ' ', properties)",
    },
    {
      rule: 'VALUE_UNFIT',
      category: 'RANGES',
      severity: 'ERROR',
      field: 'value',
      broken: values.map((sql) => `(${sql})`).join(' OR '),
      value: `concat(name, ' ', ifNull(toString(value), ''))`,
    },
    {
      rule: 'AMOUNT_MISSING',
      category: 'MISSING',
      severity: 'ERROR',
      field: 'value',
      broken: `name IN (${money.map(quote).join(', ')}) AND (value IS NULL OR currency = '')`,
      value: 'name',
    },
  ];
}

function propertyFaults(name: string, known: KnownEvent): string[] {
  const schema = z.toJSONSchema(known.properties) as {
    readonly properties?: Readonly<Record<string, MemberSchema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(schema.properties ?? {}).map(([key, member]) => {
    if (member.type !== 'string') throw new Error(`${name}: SQL cannot say the rule of properties.${key}`);
    // Two looks at the JSON at most: they are what this rule costs. (A number would read as its text.)
    const text = `JSONExtractString(properties, ${quote(key)})`;
    const { minLength = 0, maxLength = MAX_JSON_TEXT, enum: allowed } = member;
    const unfit =
      allowed === undefined
        ? `lengthUTF8(${text}) NOT BETWEEN ${minLength} AND ${maxLength}`
        : `${text} NOT IN (${allowed.map(quote).join(', ')})`;
    const isRequired = schema.required?.includes(key) === true;
    const present = isRequired ? 'true' : `JSONHas(properties, ${quote(key)})`;
    return `if(JSONType(properties, ${quote(key)}) = 'String', ${unfit}, ${present})`;
  });
}

/** Longer than any property can be. */
const MAX_JSON_TEXT = 1_000_000;
