import { ask, askOnce, insist, type Random, type Tally } from './line.ts';
import type { ServerProcess } from './server-process.ts';

/** What was asked of the server and acknowledged: all of it must be there in the end, once. */
export interface Acknowledged {
  /** Entry of the ledger by idempotency key. */
  readonly awards: Map<string, string>;
  /** External ids. */
  readonly orders: Set<string>;
  /** The sender's ids, source `SOURCE`. */
  readonly events: Set<string>;
  /** Points by external id of the customer: of awards and orders, imported ones included, less what was redeemed. */
  readonly points: Map<string, number>;
  /** By idempotency key. */
  readonly redemptions: Map<string, AcknowledgedRedemption>;
}

/** What a redemption was last acknowledged to be. */
export interface AcknowledgedRedemption {
  /** Global id. */
  readonly id: string;
  readonly state: 'OPEN' | 'FULFILLED' | 'CANCELLED';
}

export const SOURCE = 'storm';

export interface Load {
  readonly acknowledged: Acknowledged;
  readonly customers: readonly string[];
  /** Clients that award until told to stop, each new key once and some old ones again. */
  award(clients: number): Clients;
  /** Clients that place orders and record events until told to stop. */
  trade(clients: number): Clients;
}

/** Stops when each has its last acknowledgement; rejects when one of them was answered wrongly. */
export interface Clients {
  stop(): Promise<void>;
  /** Rejects as soon as a client fails. */
  readonly failed: Promise<never>;
}

const EVENTS_PER_CALL = 20;
/** One request in so many is sent again although it was acknowledged. */
const REPEAT = 6;

export async function prepareLoad(options: {
  readonly server: Pick<ServerProcess, 'up'>;
  readonly random: Random;
  readonly tally: Tally;
  readonly customers: number;
}): Promise<Load> {
  const { server, random, tally } = options;
  const customers = Array.from({ length: options.customers }, (_, n) => `storm-${n}`);
  const ids = await createCustomers(server, customers);
  const acknowledged: Acknowledged = {
    awards: new Map(),
    orders: new Set(),
    events: new Set(),
    points: new Map(),
    redemptions: new Map(),
  };
  const startedAt = Date.now();
  let awards = 0;
  let orders = 0;
  let calls = 0;

  const earn = (customer: string, points: number) => {
    acknowledged.points.set(customer, (acknowledged.points.get(customer) ?? 0) + points);
  };

  const awardOnce = async (n: number) => {
    const customer = customers[n % customers.length] as string;
    const key = `award-${n}`;
    const points = 1 + (n % 9);
    const entry = await insist(server, (url) => awardPoints(url, { key, customerId: ids.get(customer), points }));
    const before = acknowledged.awards.get(key);
    if (before !== undefined && before !== entry) throw new Error(`${key} was answered by ${before} and by ${entry}`);
    if (before === undefined) earn(customer, points);
    acknowledged.awards.set(key, entry);
    tally.add('awards');
  };

  const orderOnce = async (n: number) => {
    const customer = customers[n % customers.length] as string;
    const amount = 100 + (n % 7) * 40;
    const externalId = `order-${n}`;
    const placedAt = new Date(startedAt - n * 1_000).toISOString();
    const input = [{ externalId, customerExternalId: customer, amountMinor: amount * 100, currency: 'USD', placedAt }];
    await insist(server, async (url) => {
      const { upsertOrders } = await ask<{ upsertOrders: readonly { readonly __typename: string }[] }>(url, ORDER, {
        input,
      });
      if (upsertOrders[0]?.__typename !== 'UpsertOrderSuccess') throw new Error(JSON.stringify(upsertOrders));
    });
    if (!acknowledged.orders.has(externalId)) earn(customer, amount);
    acknowledged.orders.add(externalId);
    tally.add('orders');
  };

  const recordOnce = async (n: number) => {
    const events = Array.from({ length: EVENTS_PER_CALL }, (_, at) => ({
      id: `event-${n}-${at}`,
      name: 'feature.used',
      properties: { feature: `f${at % 7}` },
      at: new Date(startedAt - n * 1_000 - at).toISOString(),
      // Some are of customers whom nobody has described.
      customerExternalId: at % 5 === 0 ? `walk-in-${n % 50}` : (customers[(n + at) % customers.length] as string),
    }));
    await insist(server, async (url) => {
      const { recordEvents } = await ask<{ recordEvents: { readonly rejected?: readonly unknown[] } }>(url, RECORD, {
        input: { source: SOURCE, events },
      });
      if (recordEvents.rejected?.length !== 0) throw new Error(JSON.stringify(recordEvents));
    });
    for (const event of events) acknowledged.events.add(event.id);
    tally.add('calls');
  };

  const again = (count: number): boolean => count > REPEAT && random.between(0, REPEAT) === 0;
  return {
    acknowledged,
    customers,
    award: (clients) => runClients(clients, [() => awardOnce(again(awards) ? random.between(0, awards) : awards++)]),
    trade: (clients) =>
      runClients(clients, [
        () => orderOnce(again(orders) ? random.between(0, orders) : orders++),
        () => recordOnce(again(calls) ? random.between(0, calls) : calls++),
      ]),
  };
}

/** Clients that do their work in turn, over and over, until told to stop. */
export function runClients(clients: number, work: readonly (() => Promise<void>)[]): Clients {
  let stopped = false;
  const one = async (number: number) => {
    for (let turn = number; !stopped; turn += 1) await (work[turn % work.length] as () => Promise<void>)();
  };
  const all = Promise.all(Array.from({ length: clients }, (_, number) => one(number)));
  const failed = new Promise<never>((_, reject) => {
    all.catch(reject);
  });
  failed.catch(() => {});
  return {
    failed,
    async stop() {
      stopped = true;
      await all;
    },
  };
}

const AWARD = /* GraphQL */ `
  mutation Award($input: AwardPointsInput!) {
    awardPoints(input: $input) {
      ... on AwardPointsSuccess { entry { id } }
      ... on DomainError { code message }
    }
  }
`;
const ORDER = /* GraphQL */ `
  mutation Order($input: [OrderInput!]!) {
    upsertOrders(input: $input) { __typename ... on DomainError { code message } }
  }
`;
const RECORD = /* GraphQL */ `
  mutation Record($input: RecordEventsInput!) {
    recordEvents(input: $input) {
      ... on RecordEventsSuccess { accepted duplicates rejected { id code message } }
      ... on DomainError { code message }
    }
  }
`;
const CUSTOMERS = /* GraphQL */ `
  mutation Customers($customers: [CustomerInput!]!, $contacts: [ContactInput!]!) {
    upsertCustomers(input: $customers) { ... on UpsertCustomerSuccess { customer { id externalId } } }
    upsertContacts(input: $contacts) { __typename }
  }
`;

/** Awards once; the global id of the entry. */
export async function awardPoints(
  url: string,
  award: { readonly key: string; readonly customerId: string | undefined; readonly points: number },
): Promise<string> {
  const { key: idempotencyKey, customerId, points } = award;
  const input = { idempotencyKey, customerId, points };
  const answer = await askOnce<{ readonly entry?: { readonly id: string } }>(url, 'awardPoints', AWARD, { input });
  if (answer.entry === undefined) throw new Error(`${idempotencyKey}: ${JSON.stringify(answer)}`);
  return answer.entry.id;
}

/** Customers with a contact each. @returns global id by external id */
export async function createCustomers(
  server: Pick<ServerProcess, 'up'>,
  externalIds: readonly string[],
): Promise<Map<string, string>> {
  const { upsertCustomers } = await insist(server, (url) =>
    ask<{ upsertCustomers: readonly { readonly customer: { readonly id: string; readonly externalId: string } }[] }>(
      url,
      CUSTOMERS,
      {
        customers: externalIds.map((externalId) => ({
          externalId,
          name: externalId,
          signupAt: '2026-01-05T00:00:00Z',
        })),
        contacts: externalIds.map((id) => ({ customerExternalId: id, email: `${id}@customers.example`, name: id })),
      },
    ),
  );
  return new Map(upsertCustomers.map(({ customer }) => [customer.externalId, customer.id]));
}
