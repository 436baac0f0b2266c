import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

let local: TestApp;

beforeAll(async () => {
  local = await startTestApp();
});
afterAll(async () => {
  await local.close();
});

const basic = (key: string): string => `Basic ${Buffer.from(`me:${key}`).toString('base64')}`;

const open = (authorization?: string): Promise<Response> =>
  fetch(`${local.server.url}/outbox`, authorization === undefined ? {} : { headers: { authorization } });

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
    const shown = await open(basic(local.adminKey));
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await shown.text();
    expect(page).toContain('You are now Gold');
    expect(page).toContain('ada@acme.example');
    expect(page).not.toContain('<b>Ada</b>');
  });

  test('lets in whoever may read messages, by the password of a browser or as a bearer', async () => {
    const reader = await local.createKey(['communication:read']);
    for (const authorization of [basic(reader), `Bearer ${reader}`, basic(local.adminKey)]) {
      expect((await open(authorization)).status).toBe(200);
    }
  });

  test('tells others nothing, and a browser to ask for a password', async () => {
    const stranger = await open(basic(await local.createKey(['loyalty:read', 'communication:write'])));
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([403, null]);
    const headers = [undefined, basic('hf_nobody'), basic(''), 'Basic', 'Basic bm9jb2xvbg==', 'Bearer x'];
    for (const authorization of headers) {
      const refused = await open(authorization);
      expect([authorization, refused.status]).toEqual([authorization, 401]);
      expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
      expect(await refused.text()).not.toContain('Gold');
    }
  });
});
