import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
});
afterAll(() => app.close());

const FAILURE = '... on DomainError { __typename code message path }';

interface Failure {
  readonly __typename: string;
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
}

test('customers are created and changed by external id, each item with its own answer', async () => {
  const upsert = `mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) {
    ... on UpsertCustomerSuccess { created customer { externalId name status businessSegment signupAt churnedAt churnReason traits owner { email name } } }
    ${FAILURE} } }`;
  const first = await app.query<{ upsertCustomers: unknown[] }>(upsert, {
    input: [
      {
        externalId: 'acme',
        name: 'Acme',
        businessSegment: 'Enterprise',
        owner: { email: 'Mia@Example.com', name: 'Mia' },
        signupAt: '2025-01-01T00:00:00Z',
        traits: { seats: 12, beta: true },
      },
      { externalId: 'globex', status: 'CHURNED', churnedAt: '2027-01-01T00:00:00Z' },
      { externalId: 'acme', traits: { beta: null, tier: 'A' }, status: 'PAUSED' },
      { externalId: 'initech', status: 'ACTIVE', churnReason: 'price' },
    ],
  });
  expect(first.upsertCustomers).toMatchInlineSnapshot(`
    [
      {
        "created": true,
        "customer": {
          "businessSegment": "Enterprise",
          "churnReason": null,
          "churnedAt": null,
          "externalId": "acme",
          "name": "Acme",
          "owner": {
            "email": "mia@example.com",
            "name": "Mia",
          },
          "signupAt": "2025-01-01T00:00:00.000Z",
          "status": "PAUSED",
          "traits": {
            "seats": 12,
            "tier": "A",
          },
        },
      },
      {
        "__typename": "InvalidInput",
        "code": "CORE_INVALID_INPUT",
        "message": "churnedAt: "2027-01-01T00:00:00.000Z" lies in the future; it is 2026-03-10T12:00:00.000Z for this business.",
        "path": [
          "input",
          "1",
          "churnedAt",
        ],
      },
      {
        "created": false,
        "customer": {
          "businessSegment": "Enterprise",
          "churnReason": null,
          "churnedAt": null,
          "externalId": "acme",
          "name": "Acme",
          "owner": {
            "email": "mia@example.com",
            "name": "Mia",
          },
          "signupAt": "2025-01-01T00:00:00.000Z",
          "status": "PAUSED",
          "traits": {
            "seats": 12,
            "tier": "A",
          },
        },
      },
      {
        "__typename": "InvalidInput",
        "code": "CORE_INVALID_INPUT",
        "message": "churnReason: "price" is only for a customer whose status is CHURNED.",
        "path": [
          "input",
          "3",
          "churnReason",
        ],
      },
    ]
  `);
});

test('each kind of record is kept, published and followed by an event of the stream', async () => {
  const data = await app.query<Record<string, unknown>>(
    `mutation {
      upsertContacts(input: [{ customerExternalId: "north", email: "Ada@North.example", name: "Ada", timeZone: "Europe/London", locale: "en-GB", consent: [{ topic: "news", granted: true, at: "2026-01-01T00:00:00Z" }, { topic: "news", granted: false, at: "2025-01-01T00:00:00Z" }] }]) {
        ... on UpsertContactSuccess { created contact { email externalId timeZone consent { topic granted at } } } ${FAILURE} }
      upsertSubscriptions(input: [{ customerExternalId: "north", externalId: "s-1", plan: "Pro", mrrMinor: 9900, currency: "USD", startedAt: "2025-06-01T00:00:00Z" }]) {
        ... on UpsertSubscriptionSuccess { created subscription { plan mrr { amountMinor currency } } } ${FAILURE} }
      upsertInvoices(input: [{ customerExternalId: "north", externalId: "i-1", amountMinor: 9900, currency: "USD", issuedAt: "2026-01-01T00:00:00Z", dueAt: "2026-01-31T00:00:00Z" }]) {
        ... on UpsertInvoiceSuccess { created invoice { amount { formatted } paidAt } } ${FAILURE} }
      upsertTickets(input: [{ customerExternalId: "north", externalId: "t-1", priority: HIGH, openedAt: "2026-02-01T00:00:00Z" }]) {
        ... on UpsertTicketSuccess { created ticket { priority solvedAt } } ${FAILURE} }
      upsertOrders(input: [{ customerExternalId: "north", externalId: "o-1", currency: "USD", placedAt: "2026-02-03T10:00:00Z", lines: [{ product: "lamp", quantity: 2, unitPriceMinor: 1250, returnedQuantity: 1 }, { product: "oil", quantity: 0.333, unitPriceMinor: 100 }] }]) {
        ... on UpsertOrderSuccess { created order { amount { amountMinor } returned { amountMinor } lines { line product quantity unitPrice { amountMinor } returnedQuantity } } } ${FAILURE} }
    }`,
  );
  expect(data).toMatchInlineSnapshot(`
    {
      "upsertContacts": [
        {
          "contact": {
            "consent": [
              {
                "at": "2026-01-01T00:00:00.000Z",
                "granted": true,
                "topic": "news",
              },
            ],
            "email": "ada@north.example",
            "externalId": "ada@north.example",
            "timeZone": "Europe/London",
          },
          "created": true,
        },
      ],
      "upsertInvoices": [
        {
          "created": true,
          "invoice": {
            "amount": {
              "formatted": "USD 99.00",
            },
            "paidAt": null,
          },
        },
      ],
      "upsertOrders": [
        {
          "created": true,
          "order": {
            "amount": {
              "amountMinor": 2533,
            },
            "lines": [
              {
                "line": 1,
                "product": "lamp",
                "quantity": 2,
                "returnedQuantity": 1,
                "unitPrice": {
                  "amountMinor": 1250,
                },
              },
              {
                "line": 2,
                "product": "oil",
                "quantity": 0.333,
                "returnedQuantity": 0,
                "unitPrice": {
                  "amountMinor": 100,
                },
              },
            ],
            "returned": {
              "amountMinor": 1250,
            },
          },
        },
      ],
      "upsertSubscriptions": [
        {
          "created": true,
          "subscription": {
            "mrr": {
              "amountMinor": 9900,
              "currency": "USD",
            },
            "plan": "Pro",
          },
        },
      ],
      "upsertTickets": [
        {
          "created": true,
          "ticket": {
            "priority": "HIGH",
            "solvedAt": null,
          },
        },
      ],
    }
  `);
  const story = await app.query<{ customer: { activity: { edges: { node: { name: string; at: string } }[] } } }>(
    `{ customer(externalId: "north") {
      status firstOrderAt lastActivityAt
      contacts(first: 5) { edges { node { email } } }
      subscriptions(first: 5, running: true) { edges { node { externalId } } }
      invoices(first: 5, paid: false) { edges { node { externalId } } }
      tickets(first: 5, open: true) { edges { node { externalId } } }
      orders(first: 5) { edges { node { externalId } } }
      activity(first: 10) { edges { node { name at amount { amountMinor currency } value source } } }
    } }`,
  );
  expect(story).toMatchInlineSnapshot(`
    {
      "customer": {
        "activity": {
          "edges": [
            {
              "node": {
                "amount": {
                  "amountMinor": 1250,
                  "currency": "USD",
                },
                "at": "2026-03-10T12:00:00.000Z",
                "name": "order.returned",
                "source": "holdfast",
                "value": null,
              },
            },
            {
              "node": {
                "amount": {
                  "amountMinor": 2533,
                  "currency": "USD",
                },
                "at": "2026-02-03T10:00:00.000Z",
                "name": "order.placed",
                "source": "holdfast",
                "value": null,
              },
            },
            {
              "node": {
                "amount": null,
                "at": "2026-02-01T00:00:00.000Z",
                "name": "ticket.opened",
                "source": "holdfast",
                "value": null,
              },
            },
            {
              "node": {
                "amount": {
                  "amountMinor": 9900,
                  "currency": "USD",
                },
                "at": "2026-01-01T00:00:00.000Z",
                "name": "invoice.issued",
                "source": "holdfast",
                "value": null,
              },
            },
            {
              "node": {
                "amount": {
                  "amountMinor": 9900,
                  "currency": "USD",
                },
                "at": "2025-06-01T00:00:00.000Z",
                "name": "subscription.started",
                "source": "holdfast",
                "value": null,
              },
            },
          ],
        },
        "contacts": {
          "edges": [
            {
              "node": {
                "email": "ada@north.example",
              },
            },
          ],
        },
        "firstOrderAt": "2026-02-03T10:00:00.000Z",
        "invoices": {
          "edges": [
            {
              "node": {
                "externalId": "i-1",
              },
            },
          ],
        },
        "lastActivityAt": "2026-03-10T12:00:00.000Z",
        "orders": {
          "edges": [
            {
              "node": {
                "externalId": "o-1",
              },
            },
          ],
        },
        "status": "ACTIVE",
        "subscriptions": {
          "edges": [
            {
              "node": {
                "externalId": "s-1",
              },
            },
          ],
        },
        "tickets": {
          "edges": [
            {
              "node": {
                "externalId": "t-1",
              },
            },
          ],
        },
      },
    }
  `);
});

test('lines of orders are in the history, too, with what came back as returns', async () => {
  await app.settle();
  const lines = await app.app.infra.analytics.query<object>(
    `select product, toString(quantity) as quantity, toString(amount) as amount, taken_out from order_lines final
     where order_id = 'o-1' order by product, quantity`,
  );
  expect(lines).toEqual([
    { product: 'lamp', quantity: '-1', amount: '-12.5', taken_out: 'return' },
    { product: 'lamp', quantity: '2', amount: '25', taken_out: 'kept' },
    { product: 'oil', quantity: '0.333', amount: '0.333', taken_out: 'kept' },
  ]);
});

test('an invoice that is due and not paid is published as overdue, once', async () => {
  const overdue = () =>
    app.app.infra.database.query(`select payload from outbox_event where type = 'customers.invoiceOverdue'`);
  const job = app.app.composition.jobs.find(({ name }) => name === 'customers.publishOverdue');
  const context = {
    signal: new AbortController().signal,
    logger: app.app.infra.logger,
    attempt: 1,
    lastAttempt: false,
  };
  await job?.run({}, context);
  await job?.run({}, context);
  expect(await overdue()).toHaveLength(1);
  await app.query(
    `mutation { upsertInvoice(input: { customerExternalId: "north", externalId: "i-1", paidAt: "2026-03-01T00:00:00Z" }) { __typename } }`,
  );
  const { customer } = await app.query<{ customer: { activity: { edges: { node: { name: string } }[] } } }>(
    '{ customer(externalId: "north") { activity(first: 10, names: ["invoice.overdue", "invoice.paid"]) { edges { node { name } } } } }',
  );
  expect(customer.activity.edges.map(({ node }) => node.name)).toEqual(['invoice.paid', 'invoice.overdue']);
});

test('the same records again change nothing and publish nothing', async () => {
  const count = async () =>
    (
      await app.app.infra.database.query<{ n: number }>(
        `select count(*) as n from outbox_event where type like 'customers.%'`,
      )
    )[0]?.n;
  const order = `mutation { upsertOrder(input: { customerExternalId: "north", externalId: "o-1", currency: "USD", placedAt: "2026-02-03T10:00:00Z", amountMinor: 2533 }) {
    ... on UpsertOrderSuccess { created order { returned { amountMinor } } } ${FAILURE} } }`;
  const before = await count();
  expect(await app.query(order)).toEqual({
    upsertOrder: { created: false, order: { returned: { amountMinor: 1250 } } },
  });
  expect(await count()).toBe(before);
});

test('a record of one customer is not taken over by another, and a currency does not change', async () => {
  const data = await app.query<{ upsertInvoices: Failure[] }>(
    `mutation { upsertInvoices(input: [
      { customerExternalId: "south", externalId: "i-1", amountMinor: 1, currency: "USD", dueAt: "2026-05-01T00:00:00Z" },
      { customerExternalId: "north", externalId: "i-1", currency: "EUR" }
    ]) { ... on UpsertInvoiceSuccess { created } ${FAILURE} } }`,
  );
  expect(data.upsertInvoices.map(({ code, path }) => [code, path.join('.')])).toEqual([
    ['CUSTOMERS_RECORD_OF_OTHER_CUSTOMER', 'input.0.externalId'],
    ['CUSTOMERS_CURRENCY_MISMATCH', 'input.1.currency'],
  ]);
});
