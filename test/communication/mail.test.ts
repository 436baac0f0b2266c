import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { type Mailbox, startMailbox } from '../support/mail.ts';

let mailbox: Mailbox;
let app: TestApp;
let failing = true;

beforeAll(async () => {
  mailbox = await startMailbox((recipient) => {
    if (recipient.startsWith('nobody@')) return Object.assign(new Error('no such mailbox'), { responseCode: 550 });
    if (recipient.startsWith('later@') && failing) return Object.assign(new Error('try later'), { responseCode: 451 });
    return null;
  });
  app = await startTestApp({ environment: { SMTP_URL: mailbox.url } });
});
afterAll(async () => {
  await app.close();
  await mailbox.close();
});

async function upgrade(customer: string, contacts: readonly Record<string, unknown>[]): Promise<void> {
  await app.query(
    /* GraphQL */ `
      mutation Upgrade($contacts: [ContactInput!]!, $orders: [OrderInput!]!) {
        upsertContacts(input: $contacts) { __typename ... on DomainError { message } }
        upsertOrders(input: $orders) { __typename ... on DomainError { message } }
      }
    `,
    {
      contacts: contacts.map((contact) => ({ customerExternalId: customer, ...contact })),
      orders: [
        {
          externalId: `order of ${customer}`,
          customerExternalId: customer,
          amountMinor: 260_000,
          currency: 'USD',
          placedAt: new Date().toISOString(),
        },
      ],
    },
  );
  await app.settle({ mayFail: ['communication.sendMessage'] });
}

const messages = (customer: string) =>
  app
    .query<{ customer: { messages: { edges: readonly { node: Record<string, unknown> }[] } } }>(
      'query Messages($id: String!) { customer(externalId: $id) { messages { edges { node { state recipient subject reason text } } } } }',
      { id: customer },
    )
    .then(({ customer: { messages: page } }) => page.edges.map(({ node }) => node));

describe('tier-upgrade mail', () => {
  test('every contact gets one, unless they said no', async () => {
    await upgrade('acme', [
      { email: 'ada@acme.example', name: 'Ada' },
      { email: 'bob@acme.example', name: 'Bob', consent: [{ topic: 'loyalty', granted: false }] },
    ]);
    expect(mailbox.mails.map((mail) => mail.subject)).toEqual(['You are now Gold with Our company']);
    expect((await messages('acme')).map(({ state, recipient, reason }) => [recipient, state, reason]).sort()).toEqual([
      ['ada@acme.example', 'SENT', null],
      ['bob@acme.example', 'SUPPRESSED', 'NO_CONSENT'],
    ]);
  });

  test('a refusal for good ends as failed, with the answer of the server', async () => {
    await upgrade('gone', [{ email: 'nobody@gone.example' }]);
    expect(await messages('gone')).toMatchObject([
      { state: 'FAILED', reason: expect.stringContaining('no such mailbox') },
    ]);
  });

  test('a refusal for now is tried again, and sent once', async () => {
    await upgrade('slow', [{ email: 'later@slow.example' }]);
    expect(await messages('slow')).toMatchObject([{ state: 'QUEUED' }]);
    failing = false;
    const before = mailbox.mails.length;
    await app.app.infra.database.query(
      `update graphile_worker._private_jobs set run_at = now() where last_error is not null returning id`,
    );
    await app.app.infra.database.query(`select 1 as one from pg_notify('jobs:insert', '{"r":0,"count":1}')`);
    await app.settle({ mayFail: ['communication.sendMessage'] });
    expect(await messages('slow')).toMatchObject([{ state: 'SENT' }]);
    expect(mailbox.mails.length).toBe(before + 1);
  });

  test('an erased customer leaves messages without a word about the person', async () => {
    const { customer } = await app.query<{ customer: { id: string } }>('query { customer(externalId: "acme") { id } }');
    await app.query(
      'mutation Erase($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename ... on DomainError { message } } }',
      { input: { customerId: customer.id } },
    );
    await app.settle({ mayFail: ['communication.sendMessage'] });
    const [left] = await app.app.infra.database.query<{ count: number; personal: number }>(
      `select count(*)::int as count, count(coalesce(recipient, subject, preview, html, text))::int as personal from message
       where unique_key like 'tier-upgrade:%' and state in ('SENT', 'SUPPRESSED') and template = 'loyalty/tier-upgrade'
         and customer_id in (select id from customer where erased_at is not null)`,
    );
    expect(left).toEqual({ count: 2, personal: 0 });
  });
});
