import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/core/builder/index.ts';
import { newId } from '../../src/core/ids.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  await app.query(
    'mutation { upsertCustomers(input: [{ externalId: "known" }, { externalId: "other" }]) { __typename } }',
  );
});
afterAll(() => app.close());

const long = (length: number) => 'x'.repeat(length);

interface Failure {
  readonly __typename: string;
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
}

async function upsert(field: string, type: string, input: object): Promise<Failure> {
  const data = await app.query<Record<string, readonly Failure[]>>(
    `mutation ($input: [${type}!]!) { ${field}(input: $input) { __typename ... on DomainError { code message path } } }`,
    { input: [input] },
  );
  return data[field]?.[0] as Failure;
}

const customer = { externalId: 'known' };
const contact = { customerExternalId: 'known', email: 'a@b.example' };
const subscription = { customerExternalId: 'known', externalId: 's', plan: 'Pro', mrrMinor: 1, currency: 'USD' };
const invoice = {
  customerExternalId: 'known',
  externalId: 'i',
  amountMinor: 1,
  currency: 'USD',
  dueAt: '2026-06-01T00:00:00Z',
};
const ticket = { customerExternalId: 'known', externalId: 't' };
const order = { customerExternalId: 'known', externalId: 'o', amountMinor: 100, currency: 'USD' };
const line = { product: 'p', quantity: 1, unitPriceMinor: 1 };
const LATER = '2026-03-10T13:00:00Z';

test.each([
  ['an empty external id', 'Customer', { externalId: '' }, 'externalId'],
  ['an external id of 201 characters', 'Customer', { externalId: long(201) }, 'externalId'],
  ['half a surrogate pair', 'Customer', { ...customer, name: 'A\ud800' }, 'name'],
  ['a signup in the future', 'Customer', { ...customer, signupAt: LATER }, 'signupAt'],
  ['a time before 1970', 'Customer', { ...customer, signupAt: '1901-01-01T00:00:00Z' }, 'signupAt'],
  ['a churn date of a customer who stays', 'Customer', { ...customer, churnedAt: '2026-03-01T00:00:00Z' }, 'churnedAt'],
  [
    'a churn before the signup',
    'Customer',
    { ...customer, status: 'CHURNED', signupAt: '2026-03-01T00:00:00Z', churnedAt: '2026-02-01T00:00:00Z' },
    'churnedAt',
  ],
  ['traits beyond 32,768 characters', 'Customer', { ...customer, traits: { t: long(33_000) } }, 'traits'],
  ['an owner without an address', 'Customer', { ...customer, owner: { email: 'mia' } }, 'owner.email'],
  ['an address that is none', 'Contact', { ...contact, email: 'not an address' }, 'email'],
  ['a time zone nobody lives in', 'Contact', { ...contact, timeZone: 'Mars/Olympus' }, 'timeZone'],
  ['a locale that is none', 'Contact', { ...contact, locale: 'en_GB!' }, 'locale'],
  [
    'consent from the future',
    'Contact',
    { ...contact, consent: [{ topic: 'news', granted: true, at: LATER }] },
    'consent.0.at',
  ],
  ['no customer', 'Contact', { email: 'a@b.example' }, 'customerExternalId'],
  ['two customers', 'Contact', { ...contact, customerId: encodeGlobalId('Customer', newId()) }, 'customerExternalId'],
  ['an id that is none', 'Contact', { email: 'a@b.example', customerId: 'nonsense' }, 'customerId'],
  ['a subscription without a plan', 'Subscription', { ...subscription, plan: undefined }, 'plan'],
  ['negative revenue', 'Subscription', { ...subscription, mrrMinor: -1 }, 'mrrMinor'],
  ['a currency that is none', 'Subscription', { ...subscription, currency: 'XQZ' }, 'currency'],
  [
    'an end before the beginning',
    'Subscription',
    { ...subscription, startedAt: '2026-02-01T00:00:00Z', cancelledAt: '2026-01-01T00:00:00Z' },
    'cancelledAt',
  ],
  ['a reason without an end', 'Subscription', { ...subscription, cancelReason: 'price' }, 'cancelReason'],
  [
    'an invoice due before it was issued',
    'Invoice',
    { ...invoice, issuedAt: '2026-03-01T00:00:00Z', dueAt: '2026-02-01T00:00:00Z' },
    'dueAt',
  ],
  ['an invoice without a due date', 'Invoice', { ...invoice, dueAt: undefined }, 'dueAt'],
  ['a payment in the future', 'Invoice', { ...invoice, paidAt: LATER }, 'paidAt'],
  ['a rating of six', 'Ticket', { ...ticket, satisfaction: 6 }, 'satisfaction'],
  [
    'an answer before the question',
    'Ticket',
    { ...ticket, openedAt: '2026-03-01T00:00:00Z', firstResponseAt: '2026-02-01T00:00:00Z' },
    'firstResponseAt',
  ],
  ['an order of nothing', 'Order', { ...order, amountMinor: undefined }, 'amountMinor'],
  ['a negative amount', 'Order', { ...order, amountMinor: -5 }, 'amountMinor'],
  ['more returned than ordered', 'Order', { ...order, returnedAmountMinor: 101 }, 'returnedAmountMinor'],
  ['a quantity of nought', 'Order', { ...order, lines: [{ ...line, quantity: 0 }] }, 'lines.0.quantity'],
  ['a quantity with four decimals', 'Order', { ...order, lines: [{ ...line, quantity: 0.0001 }] }, 'lines.0.quantity'],
  [
    'more of a line returned than ordered',
    'Order',
    { ...order, lines: [{ ...line, returnedQuantity: 2 }] },
    'lines.0.returnedQuantity',
  ],
  [
    'lines beyond all counting',
    'Order',
    { ...order, amountMinor: undefined, lines: [{ ...line, quantity: 1e9, unitPriceMinor: 1e12 }] },
    'lines',
  ],
  [
    'a return before the order',
    'Order',
    { ...order, placedAt: '2026-03-01T00:00:00Z', returnedAmountMinor: 1, returnedAt: '2026-02-01T00:00:00Z' },
    'returnedAt',
  ],
])('%s is an InvalidInput of its item that names the field', async (_what, type, input, field) => {
  const failure = await upsert(`upsert${type}s`, `${type}Input`, input);
  expect(failure).toMatchObject({ __typename: 'InvalidInput', code: 'CORE_INVALID_INPUT' });
  expect(failure.path.join('.')).toBe(`input.0.${field}`);
  expect(failure.message).toMatch(new RegExp(`^${field.split('.').at(-1)}: .+\\.$`));
});

test.each([
  ['a rate of nought', { currency: 'EUR', validFrom: '2026-01-01', rate: '0.0' }, 'rate'],
  ['a rate in words', { currency: 'EUR', validFrom: '2026-01-01', rate: 'one' }, 'rate'],
  ['a rate of the reporting currency', { currency: 'USD', validFrom: '2026-01-01', rate: '1' }, 'currency'],
])('%s is refused', async (_what, input, field) => {
  const data = await app.query<{ setExchangeRates: Failure[] }>(
    'mutation ($input: [ExchangeRateInput!]!) { setExchangeRates(input: $input) { __typename ... on DomainError { code message path } } }',
    { input: [input] },
  );
  expect(data.setExchangeRates[0]).toMatchObject({ code: 'CORE_INVALID_INPUT', path: ['input', '0', field] });
});

const event = { id: '1', name: 'Ping', at: '2026-03-01T00:00:00Z', customerExternalId: 'known' };

test.each([
  ['no id', { ...event, id: '' }, 'id'],
  ['a name of 201 characters', { ...event, name: long(201) }, 'name'],
  ['the future', { ...event, at: LATER }, 'at'],
  ['the time before 1970', { ...event, at: '1969-12-31T00:00:00Z' }, 'at'],
  ['no customer', { ...event, customerExternalId: undefined }, 'customerExternalId'],
  ['a customer id that is none', { ...event, customerExternalId: undefined, customerId: 'x' }, 'customerId'],
  ['money without a currency', { ...event, amountMinor: 1 }, 'currency'],
  ['a currency without money', { ...event, currency: 'USD' }, 'amountMinor'],
  ['negative money', { ...event, amountMinor: -1, currency: 'USD' }, 'amountMinor'],
  ['money and a value', { ...event, amountMinor: 1, currency: 'USD', value: 1 }, 'value'],
  ['a number beyond all counting', { ...event, value: 1e300 }, 'value'],
  ['properties beyond 32,768 characters', { ...event, properties: { p: long(33_000) } }, 'properties'],
  ['half a surrogate pair in properties', { ...event, properties: { p: 'A\ud800' } }, 'properties'],
  ['a session that lasted longer than a day', { ...event, name: 'session.ended', value: 90_000 }, 'value'],
  ['a session that took no time at all', { ...event, name: 'session.ended' }, 'value'],
  ['a feature without a name', { ...event, name: 'feature.used' }, 'properties.feature'],
  ['an order without an amount', { ...event, name: 'order.placed', properties: { orderId: 'x' } }, 'amountMinor'],
  [
    'an order id that is a number',
    { ...event, name: 'order.placed', amountMinor: 1, currency: 'USD', properties: { orderId: 7 } },
    'properties.orderId',
  ],
])('an event with %s is rejected with the field it breaks, and its neighbour is taken', async (what, bad, field) => {
  const data = await app.query<{ recordEvents: { outcomes: string[]; rejected: { code: string; path: string[] }[] } }>(
    'mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { ... on RecordEventsSuccess { outcomes rejected { code path } } } }',
    { input: { source: 'bad', events: [bad, { ...event, id: `beside ${what}` }] } },
  );
  expect(data.recordEvents.outcomes).toEqual(['REJECTED', 'ACCEPTED']);
  expect(data.recordEvents.rejected[0]?.path.join('.')).toBe(`input.events.0.${field}`);
});

test('batches beyond their bounds, foreign sources and cursors are refused as a whole', async () => {
  const many = await app.query<Record<string, unknown>>(
    'mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { __typename ... on DomainError { code message path } } }',
    { input: { events: Array.from({ length: 1_001 }, (_, n) => ({ ...event, id: String(n) })) } },
  );
  expect(many.recordEvents).toEqual({
    __typename: 'InvalidInput',
    code: 'CORE_INVALID_INPUT',
    message: '1001 events are too many for one call; send at most 1000 and repeat.',
    path: ['input', 'events'],
  });
  const foreign = await app.query<{ recordEvents: Failure }>(
    'mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { __typename ... on DomainError { code message path } } }',
    { input: { source: 'holdfast', events: [event] } },
  );
  expect(foreign.recordEvents).toMatchObject({ code: 'CORE_INVALID_INPUT', path: ['input', 'source'] });
  const tooMany = await app.ask(
    'mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { __typename } }',
    { input: Array.from({ length: 501 }, (_, n) => ({ externalId: `n-${n}` })) },
  );
  expect(tooMany.errors?.[0]?.extensions.code).toBe('CORE_INVALID_INPUT');
  for (const query of [
    '{ customers(after: "nonsense") { totalCount edges { cursor } } }',
    '{ customers(first: 0) { edges { cursor } } }',
    '{ customers(filter: { search: "x" }) { edges { cursor } } }',
    '{ customer(externalId: "known") { activity(after: "bm9uc2Vuc2U") { edges { cursor } } } }',
    '{ customer(externalId: "known") { orders(first: 101) { edges { cursor } } } }',
  ]) {
    const { errors } = await app.ask(query);
    expect(errors?.[0]?.extensions.code, query).toBe('CORE_INVALID_INPUT');
  }
});

test('a key may do what its scopes say and no more', async () => {
  const reader = await app.createKey(['customers:read']);
  const refused = async (query: string) =>
    (await app.ask(query, {}, { authorization: `Bearer ${reader}` })).errors?.[0]?.extensions.code;
  expect(await refused('{ customers { totalCount } }')).toBeUndefined();
  for (const query of [
    'mutation { upsertCustomers(input: [{ externalId: "x" }]) { __typename } }',
    'mutation { recordEvents(input: { events: [] }) { __typename } }',
    '{ customer(externalId: "known") { activity(first: 1) { edges { cursor } } } }',
    '{ eventCatalogue { name } }',
  ]) {
    expect(await refused(query), query).toBe('ACCESS_SCOPE_MISSING');
  }
  expect(await app.query('{ customer(externalId: "x") { id } }'), 'nothing was done').toEqual({ customer: null });
});
