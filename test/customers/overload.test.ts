import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemCall } from '../../src/core/call.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: new Date('2026-03-10T12:00:00Z'), worker: false });
});
afterAll(() => app.close());

const RECORD = `mutation ($input: RecordEventsInput!) { recordEvents(input: $input) {
  ... on RecordEventsSuccess { accepted } ... on DomainError { code } ... on Overloaded { retryAfterMs } } }`;

const event = (id: string) => ({ id, name: 'Ping', at: '2026-03-01T10:00:00Z', customerExternalId: 'ada' });

test('a full inbox answers Overloaded and takes nothing', async () => {
  await app.app.infra.settings.change(systemCall('test'), 'customers.inboxLimit', 1_000);
  const fill = (from: number) =>
    app.query<{ recordEvents: { accepted?: number; code?: string } }>(RECORD, {
      input: { source: 's', events: Array.from({ length: 600 }, (_, n) => event(`x-${from + n}`)) },
    });
  expect((await fill(0)).recordEvents.accepted).toBe(600);
  expect((await fill(600)).recordEvents.accepted).toBe(600);
  expect((await fill(1_200)).recordEvents).toMatchObject({ code: 'CORE_OVERLOADED' });
  const [row] = await app.app.infra.database.query<{ n: number }>('select count(*) as n from event_inbox');
  expect(row?.n).toBe(1_200);
});
