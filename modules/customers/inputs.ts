import { IANAZone } from 'luxon';
import { z } from 'zod';
import { InvalidInput } from '../../src/core/errors.ts';
import { isCurrency } from '../../src/core/money.ts';

/** Shapes of what callers send. What depends on other records, on the clock or on settings is decided by the services. */

/** PostgreSQL keeps no NUL character, and a lone surrogate is no text. */
const clean = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

const text = (max: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(max, `must have at most ${max} characters`)
    .refine(clean, 'holds characters that are no text');

const externalId = text(200);
const name = text(500);
/** Times before it are taken for a slip of the pen (seconds for milliseconds, a default of a spreadsheet). */
const EARLIEST = new Date('1970-01-02T00:00:00Z');
const time = z.date({ error: 'must be a moment such as 2026-11-22T13:47:57Z' }).min(EARLIEST, 'lies before 1970');
const currency = z.string().refine(isCurrency, 'must be an ISO 4217 currency code such as EUR');
const amountMinor = z.int('must be whole minor units, e.g. 1250 for 12.50').min(0, 'must not be negative');
const email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email('must be an e-mail address such as ada@example.com'));
const timeZone = z
  .string()
  .refine((zone) => IANAZone.isValidZone(zone), 'must be an IANA time zone such as Europe/London');

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** The largest JSON object kept with a record, in characters. */
const MAX_JSON = 32_768;

/** A JSON object that PostgreSQL can keep. */
export const jsonObject = z.record(z.string(), z.unknown()).superRefine((object, context) => {
  const json = JSON.stringify(object);
  if (json.length > MAX_JSON) context.addIssue(`must have at most ${MAX_JSON} characters as JSON`);
  else if (!isCleanJson(object, json)) context.addIssue('holds characters that are no text');
});

/** Whether all texts of a value can be kept; `json` is the same value as JSON, where such characters are escaped. */
export function isCleanJson(value: unknown, json: string): boolean {
  if (!json.includes('\\u')) return true;
  if (typeof value === 'string') return clean(value);
  if (value === null || typeof value !== 'object') return true;
  return Object.entries(value).every(([key, member]) => clean(key) && isCleanJson(member, json));
}

const ofCustomer = { customerId: z.uuid().nullish(), customerExternalId: externalId.nullish() };

const oneCustomer = (item: { customerId?: unknown; customerExternalId?: unknown }): boolean =>
  (typeof item.customerId === 'string') !== (typeof item.customerExternalId === 'string');

const ONE_CUSTOMER = {
  error: 'name the customer by exactly one of customerId and customerExternalId',
  path: ['customerExternalId'],
};

export const customerInput = z.object({
  externalId,
  name: name.nullish(),
  businessSegment: text(200).nullish(),
  owner: z.object({ email, name: name.nullish() }).nullish(),
  status: z.enum(['TRIAL', 'ACTIVE', 'PAUSED', 'CHURNED'], 'must be TRIAL, ACTIVE, PAUSED or CHURNED').nullish(),
  signupAt: time.nullish(),
  churnedAt: time.nullish(),
  churnReason: text(500).nullish(),
  traits: jsonObject.nullish(),
});

export const contactInput = z
  .object({
    ...ofCustomer,
    externalId: externalId.nullish(),
    email,
    name: name.nullish(),
    timeZone: timeZone.nullish(),
    locale: z.string().refine(isLocale, 'must be a language tag such as en-GB').nullish(),
    consent: z
      .array(z.object({ topic: text(100), granted: z.boolean(), at: time.nullish() }))
      .max(100)
      .nullish(),
  })
  .refine(oneCustomer, ONE_CUSTOMER);

export const subscriptionInput = z
  .object({
    ...ofCustomer,
    externalId,
    plan: text(200).nullish(),
    mrrMinor: amountMinor.nullish(),
    currency: currency.nullish(),
    startedAt: time.nullish(),
    cancelledAt: time.nullish(),
    cancelReason: text(500).nullish(),
    changedAt: time.nullish(),
  })
  .refine(oneCustomer, ONE_CUSTOMER);

export const invoiceInput = z
  .object({
    ...ofCustomer,
    externalId,
    amountMinor: amountMinor.nullish(),
    currency: currency.nullish(),
    issuedAt: time.nullish(),
    dueAt: time.nullish(),
    paidAt: time.nullish(),
  })
  .refine(oneCustomer, ONE_CUSTOMER);

export const ticketInput = z
  .object({
    ...ofCustomer,
    externalId,
    priority: z.enum(['LOW', 'NORMAL', 'HIGH', 'URGENT'], 'must be LOW, NORMAL, HIGH or URGENT').nullish(),
    openedAt: time.nullish(),
    firstResponseAt: time.nullish(),
    solvedAt: time.nullish(),
    satisfaction: z.int('must be 1 to 5').min(1, 'must be 1 to 5').max(5, 'must be 1 to 5').nullish(),
  })
  .refine(oneCustomer, ONE_CUSTOMER);

const thousandths = (value: number): boolean => Math.abs(value * 1_000 - Math.round(value * 1_000)) < 1e-6;
const quantity = z.number().max(1e9).refine(thousandths, 'must have at most three decimals');

const orderLine = z
  .object({
    product: text(200),
    description: text(500).nullish(),
    quantity: quantity.gt(0, 'must be above zero; what came back is said by returnedQuantity'),
    unitPriceMinor: amountMinor.max(1e12),
    returnedQuantity: quantity.min(0, 'must not be negative').nullish(),
  })
  .refine((line) => (line.returnedQuantity ?? 0) <= line.quantity, {
    error: 'is more than was ordered',
    path: ['returnedQuantity'],
  });

export const orderInput = z
  .object({
    ...ofCustomer,
    externalId,
    placedAt: time.nullish(),
    amountMinor: amountMinor.nullish(),
    currency: currency.nullish(),
    lines: z.array(orderLine).max(1_000, 'are more than 1,000').nullish(),
    returnedAmountMinor: amountMinor.nullish(),
    returnedAt: time.nullish(),
  })
  .refine(oneCustomer, ONE_CUSTOMER);

export const exchangeRateInput = z.object({
  currency,
  reportingCurrency: currency.nullish(),
  validFrom: z.iso.date('must be a day such as 2026-11-22'),
  rate: z
    .string()
    .regex(/^\d{1,10}(\.\d{1,10})?$/, 'must be a decimal number such as 0.8571, with at most ten decimals')
    .refine((rate) => Number(rate) > 0, 'must be above zero'),
});

export type CustomerInput = z.input<typeof customerInput>;
export type ContactInput = z.input<typeof contactInput>;
export type SubscriptionInput = z.input<typeof subscriptionInput>;
export type InvoiceInput = z.input<typeof invoiceInput>;
export type TicketInput = z.input<typeof ticketInput>;
export type OrderInput = z.input<typeof orderInput>;
export type ExchangeRateInput = z.input<typeof exchangeRateInput>;

/** Reads one item of a batch: what it says, or the first rule it breaks, naming field and value. */
export function readItem<T>(
  schema: z.ZodType<T>,
  input: unknown,
  path: readonly (string | number)[],
): T | InvalidInput {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const steps = (issue?.path ?? []).map(String);
  let value: unknown = input;
  for (const step of steps) value = (value as Record<string, unknown> | null | undefined)?.[step];
  return invalid([...path, ...steps], value, issue?.message ?? 'breaks a rule');
}

/** The failure of a field: names it, shows what was sent, and says what would be right. */
export function invalid(path: readonly (string | number)[], value: unknown, rule: string): InvalidInput {
  const field = String(path.at(-1) ?? 'input');
  const shown = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)).slice(0, 100);
  return new InvalidInput(`${field}: ${shown} ${rule}.`, { path });
}
