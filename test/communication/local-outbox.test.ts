import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

let local: TestApp;

beforeAll(async () => {
  local = await startTestApp();
});
afterAll(async () => {
  await local.close();
});

describe('the local outbox', () => {
  test('holds messages when no mail server is set, and shows them to a key with the scope', async () => {
    await local.query(
      /* GraphQL */ `
          mutation Upgrade($contacts: [ContactInput!]!, $orders: [OrderInput!]!) {
            upsertContacts(input: $contacts) { __typename }
            upsertOrders(input: $orders) { __typename }
          }
        `,
      {
        contacts: [{ customerExternalId: 'acme', email: 'ada@acme.example', name: '<b>Ada</b>' }],
        orders: [
          {
            externalId: 'o',
            customerExternalId: 'acme',
            amountMinor: 260_000,
            currency: 'USD',
            placedAt: new Date().toISOString(),
          },
        ],
      },
    );
    await local.settle();
    const open = (key: string) =>
      fetch(`${local.server.url}/outbox`, {
        headers: { authorization: `Basic ${Buffer.from(`me:${key}`).toString('base64')}` },
      });
    const page = await (await open(local.adminKey)).text();
    expect(page).toContain('You are now Gold');
    expect(page).toContain('ada@acme.example');
    expect(page).not.toContain('<b>Ada</b>');
    expect((await open(await local.createKey(['loyalty:read']))).status).toBe(403);
    expect((await fetch(`${local.server.url}/outbox`)).status).toBe(401);
  });
});
