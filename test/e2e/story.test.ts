import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { type Mailbox, startMailbox } from '../support/mail.ts';
import { type Subscriber, subscribe } from '../support/subscriber.ts';

let mailbox: Mailbox;
let app: TestApp;

beforeAll(async () => {
  mailbox = await startMailbox();
  app = await startTestApp({ environment: { SMTP_URL: mailbox.url } });
});

afterAll(async () => {
  await app.close();
  await mailbox.close();
});

interface FollowedEvent {
  readonly id: string;
  readonly cursor: string;
  readonly name: string;
}

const FOLLOW = /* GraphQL */ `
  subscription Follow($after: Cursor) {
    events(after: $after) { id cursor name }
  }
`;
const TIERS = /* GraphQL */ `
  subscription Tiers($after: Cursor) {
    tierChanged(after: $after) { id from { name } to { name } customer { externalId loyalty { earned } } }
  }
`;
const ORDER = /* GraphQL */ `
  mutation Order($input: [OrderInput!]!) {
    upsertOrders(input: $input) { __typename ... on DomainError { code message } }
  }
`;
const STORY = /* GraphQL */ `
  query Story($externalId: String!) {
    customer(externalId: $externalId) {
      health { score tier coverage parts { name value } change { delta causedBy } }
      loyalty { earned balance { available } tier { name } nextTier { tier { name } pointsToGo } }
      messages { edges { node { state subject recipient } } }
      churn { status }
    }
  }
`;

interface Story {
  readonly customer: {
    readonly health: {
      readonly score: number;
      readonly tier: string;
      readonly coverage: number;
      readonly change: { readonly delta: number; readonly causedBy: string } | null;
    } | null;
    readonly loyalty: { readonly earned: number; readonly tier: { readonly name: string } } | null;
    readonly messages: {
      readonly edges: readonly {
        readonly node: { readonly state: string; readonly subject: string; readonly recipient: string };
      }[];
    };
    readonly churn: { readonly status: string } | null;
  };
}

const order = (externalId: string, amountMinor: number, placedAt = new Date()) =>
  app.query<{ upsertOrders: readonly { readonly __typename: string }[] }>(ORDER, {
    input: [{ externalId, customerExternalId: 'acme', amountMinor, currency: 'USD', placedAt: placedAt.toISOString() }],
  });

describe('an order arrives', () => {
  let key: string;
  let follower: Subscriber<FollowedEvent>;
  let resumed: Subscriber<FollowedEvent>;
  let before: Story;

  test('a customer with a contact is known, and a partner follows with a narrow key', async () => {
    key = await app.createKey(['events:read', 'customers:read', 'loyalty:read']);
    follower = subscribe<FollowedEvent>({ url: `${app.server.url}/graphql`, key, query: FOLLOW, field: 'events' });
    await app.query(
      /* GraphQL */ `
        mutation Customer($customers: [CustomerInput!]!, $contacts: [ContactInput!]!) {
          upsertCustomers(input: $customers) { __typename }
          upsertContacts(input: $contacts) { __typename }
        }
      `,
      {
        customers: [{ externalId: 'acme', name: 'Acme Ltd', signupAt: '2026-01-05T00:00:00Z' }],
        contacts: [{ customerExternalId: 'acme', email: 'ada@acme.example', name: 'Ada' }],
      },
    );
    expect(await order('order-1', 60_000, new Date(Date.now() - 50 * 86_400_000))).toEqual({
      upsertOrders: [{ __typename: 'UpsertOrderSuccess' }],
    });
    await app.settle();
    before = await app.query<Story>(STORY, { externalId: 'acme' });
    expect(before.customer.loyalty).toMatchObject({ earned: 600, tier: { name: 'Bronze' } });
    expect(before.customer.messages.edges).toEqual([]);
    const seen = await follower.arrived(4);
    expect(seen.map((event) => event.name)).toContain('loyalty.pointsAwarded');
  });

  test('cut off midway, the partner resumes where it was and misses nothing', async () => {
    const seen = [...follower.events];
    follower.cut();
    const cursor = seen[1]?.cursor as string;
    await order('order-2', 45_099);
    await app.settle();
    resumed = subscribe<FollowedEvent>({
      url: `${app.server.url}/graphql`,
      key,
      query: FOLLOW,
      variables: { after: cursor },
      field: 'events',
    });
    const stored = await app.app.infra.database.query<{ id: string; type: string }>(
      'select id, type from outbox_event order by epoch, xid, seq',
    );
    await resumed.arrived(stored.length - 2);
    const all = [...seen.slice(0, 2), ...resumed.events];
    expect(all.map((event) => event.id)).toEqual(stored.map((event) => event.id));
    expect(new Set(all.map((event) => event.id)).size).toBe(all.length);
    const names = all.map((event) => event.name);
    expect(names.filter((name) => name === 'loyalty.tierChanged')).toHaveLength(1);
    expect(names.filter((name) => name === 'communication.messageSent')).toHaveLength(1);
    expect(names.lastIndexOf('loyalty.pointsAwarded')).toBeLessThan(names.indexOf('communication.messageQueued'));
    resumed.cut();
  });

  test('points lead to a tier, the tier to exactly one mail', async () => {
    expect(mailbox.mails).toHaveLength(1);
    const [mail] = mailbox.mails;
    expect(mail?.subject).toBe('You are now Silver with Our company');
    expect(mail?.text).toContain('With 1,050 points earned you have moved up from Bronze to Silver.');
    expect(mail?.html).toContain('<li>Dedicated success manager</li>');
  });

  test('the same order again changes nothing', async () => {
    await order('order-2', 45_099);
    await app.settle();
    const { customer } = await app.query<Story>(STORY, { externalId: 'acme' });
    expect(customer.loyalty?.earned).toBe(1_050);
    expect(mailbox.mails).toHaveLength(1);
  });

  test('the typed subscription tells of one tier change, from any cursor', async () => {
    const { events: first } = follower;
    const tiers = subscribe<{
      readonly from: { readonly name: string };
      readonly to: { readonly name: string };
      readonly customer: object;
    }>({
      url: `${app.server.url}/graphql`,
      key,
      query: TIERS,
      variables: { after: first[0]?.cursor },
      field: 'tierChanged',
    });
    const [change] = await tiers.arrived(1);
    expect(change).toMatchObject({
      from: { name: 'Bronze' },
      to: { name: 'Silver' },
      customer: { externalId: 'acme', loyalty: { earned: 1_050 } },
    });
    tiers.cut();
  });

  test('the health graph shows it all, and says which event changed the score', async () => {
    const { customer } = await app.query<Story>(STORY, { externalId: 'acme' });
    expect(customer.messages.edges).toEqual([
      { node: { state: 'SENT', subject: 'You are now Silver with Our company', recipient: 'ada@acme.example' } },
    ]);
    expect(customer.churn).toEqual({ status: 'ACTIVE' });
    expect(before.customer.health?.score).toBe(0);
    expect(customer.health?.score).toBeGreaterThan(0);
    const causedBy = customer.health?.change?.causedBy;
    const [cause] = await app.app.infra.database.query<{ type: string }>(
      'select type from outbox_event where id = $1',
      [causedBy],
    );
    expect(cause?.type).toBe('customers.orderPlaced');
  });
});
