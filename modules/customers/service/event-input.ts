import type { InboxRow } from '../../../src/core/analytics/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { isUuid } from '../../../src/core/ids.ts';
import { formatMinor, isCurrency } from '../../../src/core/money.ts';
import { type CatalogueName, knownEvent } from '../catalogue.ts';
import { eventUid } from '../identity.ts';
import { invalid, isCleanJson } from '../inputs.ts';

/** An event of the stream as a caller sends it. */
export interface EventInput {
  /** The caller's own: an event is (source, id). */
  readonly id: string;
  readonly name: string;
  readonly at: Date;
  readonly customerId?: string | null | undefined;
  readonly customerExternalId?: string | null | undefined;
  readonly value?: number | null | undefined;
  readonly amountMinor?: number | null | undefined;
  readonly currency?: string | null | undefined;
  readonly properties?: object | null | undefined;
}

/** An event that keeps all rules that need no look at the database: already the row that it becomes. */
export interface PreparedEvent extends InboxRow {
  /** Empty until the customer is found. */
  customerId: string;
  readonly index: number;
  readonly amountMinor: number | null;
  /** How the caller named the customer: one of the two is set. */
  readonly namedId: string | null;
  readonly customerExternalId: string | null;
  /** Set when the event is about an order known by name: it goes through the orders. */
  readonly orderId: string | null;
}

/** What holds for all events of a call. */
export interface EventTerms {
  readonly source: string;
  readonly batchId: string;
  readonly now: Date;
  readonly latestMs: number;
  readonly names: Readonly<Record<string, CatalogueName>>;
}

const MAX_TEXT = 200;
const MAX_PROPERTIES = 32_768;
const EARLIEST_MS = 86_400_000;
/** What DECIMAL(20, 6) holds. */
const MAX_VALUE = 1e14;

const textFault = (text: unknown): string | null => {
  if (typeof text !== 'string' || text.length === 0) return 'must not be empty';
  if (text.length > MAX_TEXT) return `must have at most ${MAX_TEXT} characters`;
  return text.includes('\0') || !text.isWellFormed() ? 'holds characters that are no text' : null;
};

/**
 * Checks one event. Written by hand rather than as a schema, since every event of the business passes through here; what
 * the catalogue says of an event's own properties is checked by its schema.
 */
export function prepareEvent(input: EventInput, index: number, terms: EventTerms): PreparedEvent | DomainError {
  const fail = (field: string, value: unknown, rule: string) => invalid(['input', 'events', index, field], value, rule);
  const idFault = textFault(input.id);
  if (idFault !== null) return fail('id', input.id, idFault);
  const nameFault = textFault(input.name);
  if (nameFault !== null) return fail('name', input.name, nameFault);
  const atMs = input.at instanceof Date ? input.at.getTime() : Number.NaN;
  if (!(atMs >= EARLIEST_MS)) return fail('at', input.at, 'must be a moment after 1970 such as 2026-11-22T13:47:57Z');
  if (atMs > terms.latestMs) {
    return fail('at', input.at, `lies in the future; it is ${terms.now.toISOString()} for this business`);
  }
  const customerId = input.customerId ?? null;
  const customerExternalId = input.customerExternalId ?? null;
  if ((customerId === null) === (customerExternalId === null)) {
    return fail(
      'customerExternalId',
      customerExternalId,
      'name the customer by exactly one of customerId and customerExternalId',
    );
  }
  if (customerExternalId !== null) {
    const fault = textFault(customerExternalId);
    if (fault !== null) return fail('customerExternalId', customerExternalId, fault);
  }
  if (customerId !== null && !isUuid(customerId)) return fail('customerId', customerId, 'is no id of a customer');
  const amount = amountOf(input, fail);
  if (amount instanceof DomainError) return amount;
  const mapped = Object.hasOwn(terms.names, input.name) ? terms.names[input.name] : undefined;
  const name = mapped ?? input.name;
  const given = input.properties ?? {};
  const known = knownEvent(name);
  if (known !== undefined) {
    const fault = catalogueFault(input, name, given, fail);
    if (fault !== null) return fault;
  }
  const properties = JSON.stringify(mapped === undefined ? given : { ...given, mappedFrom: input.name });
  if (properties.length > MAX_PROPERTIES) {
    return fail('properties', `${properties.slice(0, 40)}…`, `must have at most ${MAX_PROPERTIES} characters as JSON`);
  }
  if (!isCleanJson(given, properties)) return fail('properties', given, 'holds characters that are no text');
  const orderId =
    known !== undefined && name.startsWith('order.') ? (given as { orderId?: string }).orderId : undefined;
  return {
    uid: eventUid(terms.source, input.id),
    source: terms.source,
    sourceId: input.id,
    customerId: '',
    name,
    at: input.at,
    value: amount,
    currency: input.currency ?? null,
    properties,
    batchId: terms.batchId,
    index,
    amountMinor: input.amountMinor ?? null,
    namedId: customerId,
    customerExternalId,
    orderId: orderId ?? null,
  };
}

type Fail = (field: string, value: unknown, rule: string) => DomainError;

/** The event's number as exact decimal text: money in major units, or the value as it came. */
function amountOf({ value, amountMinor, currency }: EventInput, fail: Fail): string | null | DomainError {
  const hasAmount = amountMinor !== null && amountMinor !== undefined;
  const hasCurrency = currency !== null && currency !== undefined;
  if (hasAmount !== hasCurrency) {
    return hasAmount
      ? fail('currency', currency, 'is needed beside amountMinor')
      : fail('amountMinor', amountMinor, 'is needed beside currency');
  }
  if (hasAmount && hasCurrency) {
    if (!isCurrency(currency)) return fail('currency', currency, 'must be an ISO 4217 currency code such as EUR');
    if (!Number.isSafeInteger(amountMinor) || amountMinor < 0) {
      return fail('amountMinor', amountMinor, 'must be whole minor units from zero up');
    }
    if (value !== null && value !== undefined) return fail('value', value, 'cannot stand beside amountMinor');
    const text = formatMinor({ amountMinor, currency });
    return amountMinor >= MAX_VALUE ? fail('amountMinor', amountMinor, 'must be below 10^14') : text;
  }
  if (value === null || value === undefined) return null;
  if (!Number.isFinite(value) || Math.abs(value) >= MAX_VALUE)
    return fail('value', value, 'must be a number below 10^14');
  return String(value);
}

function catalogueFault(input: EventInput, name: string, given: object, fail: Fail): DomainError | null {
  const known = knownEvent(name);
  if (known === undefined) return null;
  const parsed = known.properties.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const steps = (issue?.path ?? []).map(String);
    let value: unknown = given;
    for (const step of steps) value = (value as Record<string, unknown> | undefined)?.[step];
    return fail(['properties', ...steps].join('.'), value, `${issue?.message ?? 'breaks a rule'}, for ${name}`);
  }
  if (known.money === 'required' && (input.amountMinor === null || input.amountMinor === undefined)) {
    return fail('amountMinor', input.amountMinor, `is needed for ${name}, with its currency`);
  }
  if (known.value === undefined) return null;
  const { meaning, min, max, required } = known.value;
  const { value } = input;
  if (value === null || value === undefined) {
    return required === true ? fail('value', value, `is needed for ${name}: ${meaning}, ${min} to ${max}`) : null;
  }
  return value < min || value > max ? fail('value', value, `must be ${min} to ${max} for ${name}: ${meaning}`) : null;
}
