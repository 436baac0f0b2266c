import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import {
  GraphQLCurrency,
  GraphQLDateTimeISO,
  GraphQLEmailAddress,
  GraphQLJSON,
  GraphQLJSONObject,
  GraphQLLocalDate,
} from 'graphql-scalars';
import type { JsonObject, JsonValue } from './json.ts';

/** Output and input shapes of the scalars, for Pothos. */
export type ScalarTypes = {
  ID: { Input: string; Output: string };
  DateTime: { Input: Date; Output: Date | string };
  LocalDate: { Input: string; Output: string };
  JSON: { Input: JsonValue; Output: unknown };
  JSONObject: { Input: JsonObject; Output: object };
  PositiveInt: { Input: number; Output: number };
  NonNegativeInt: { Input: number; Output: number };
  SafeInt: { Input: number; Output: number };
  Currency: { Input: string; Output: string };
  EmailAddress: { Input: string; Output: string };
  Cursor: { Input: string; Output: string };
  IdempotencyKey: { Input: string; Output: string };
};

/** Rows built as JSON in SQL carry `2026-11-22T13:47:57.123456+00:00`; shown as ECMAScript would. */
const sqlTimestamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00:00|Z)$/;

function serializeDateTime(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') {
    // By far the most: milliseconds in UTC, as `timestamptz(3)` gives them.
    if (value.length === 29 && value.endsWith('+00:00') && value[19] === '.') return `${value.slice(0, 23)}Z`;
    const match = sqlTimestamp.exec(value);
    if (match !== null) return `${match[1]}.${(match[2] ?? '').padEnd(3, '0').slice(0, 3)}Z`;
    const parsed = new Date(value);
    if (!Number.isNaN(parsed.getTime())) return parsed.toISOString();
  }
  throw new GraphQLError(`DateTime cannot show ${typeof value} ${String(value)}.`);
}

/**
 * `2026-11-22T13:47:57.123Z` or the same without milliseconds: what programs send, thousands in a request. V8 takes the
 * 30th of February for the 2nd of March, so the day is looked at again; whatever else it is, the careful reader says.
 */
function readDateTime(value: unknown): Date {
  if (typeof value === 'string' && usualMoment.test(value)) {
    const date = new Date(value);
    const day = (value.charCodeAt(8) - 48) * 10 + value.charCodeAt(9) - 48;
    if (date.getUTCDate() === day) return date;
  }
  return GraphQLDateTimeISO.parseValue(value);
}

/** Hours below 24, so that the day stays the day. */
const usualMoment = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3})?Z$/;

function boundedString(name: string, description: string, pattern: RegExp, shape: string): GraphQLScalarType {
  const parse = (value: unknown): string => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw new GraphQLError(`${name} must be ${shape}.`);
  };
  return new GraphQLScalarType({
    name,
    description,
    serialize: String,
    parseValue: parse,
    parseLiteral: (node) => parse(node.kind === Kind.STRING ? node.value : undefined),
  });
}

/** Strict, unlike its namesakes in graphql-scalars: the text "1e3" is no number of points. */
function wholeNumber(name: string, description: string, min: number, max: number): GraphQLScalarType<number, number> {
  const check = (value: unknown): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new GraphQLError(`${name} must be a whole number from ${min} to ${max}.`);
  };
  return new GraphQLScalarType({
    name,
    description,
    serialize: check,
    parseValue: check,
    parseLiteral: (node) => check(node.kind === Kind.INT ? Number(node.value) : undefined),
  });
}

const describe = (scalar: GraphQLScalarType, description: string): GraphQLScalarType => {
  const { specifiedByURL, ...config } = scalar.toConfig();
  return new GraphQLScalarType({ ...config, specifiedByURL: null, description, astNode: null, extensions: {} });
};

/** Every scalar of the API, by name. */
export const scalars: Readonly<Record<Exclude<keyof ScalarTypes, 'ID'>, GraphQLScalarType>> = {
  DateTime: new GraphQLScalarType({
    ...describe(GraphQLDateTimeISO, '').toConfig(),
    name: 'DateTime',
    description: 'A moment as RFC 3339 in UTC, e.g. 2026-11-22T13:47:57.123Z.',
    serialize: serializeDateTime,
    parseValue: readDateTime,
  }),
  LocalDate: describe(GraphQLLocalDate, 'A calendar day without a time, e.g. 2026-11-22.'),
  JSON: describe(GraphQLJSON, 'Any JSON value.'),
  JSONObject: describe(GraphQLJSONObject, 'A JSON object.'),
  PositiveInt: wholeNumber('PositiveInt', 'A whole number above 0, up to 2^31 - 1.', 1, 2 ** 31 - 1),
  NonNegativeInt: wholeNumber('NonNegativeInt', 'A whole number from 0 to 2^31 - 1.', 0, 2 ** 31 - 1),
  SafeInt: wholeNumber(
    'SafeInt',
    'A whole number between -(2^53 - 1) and 2^53 - 1: exact in any JSON reader.',
    Number.MIN_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
  ),
  Currency: describe(GraphQLCurrency, 'A currency by its ISO 4217 code, e.g. GBP.'),
  EmailAddress: describe(GraphQLEmailAddress, 'An e-mail address, e.g. ada@example.com.'),
  Cursor: boundedString(
    'Cursor',
    'A place in a list or in the event stream. Opaque: hand back what you were given.',
    /^[A-Za-z0-9_-]{1,512}$/,
    'a cursor as this API gave it (letters, digits, "-" and "_")',
  ),
  IdempotencyKey: boundedString(
    'IdempotencyKey',
    'Your own unique name of a request, 1 to 200 visible characters. The same key and input return the first answer; the same key with another input is an IdempotencyConflict.',
    /^[\x21-\x7e]{1,200}$/,
    '1 to 200 visible ASCII characters without blanks',
  ),
};
