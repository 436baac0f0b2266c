import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { csv, importFile } from './support.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: new Date('2026-06-01T12:00:00Z') });
});

afterAll(() => app.close());

const importEvents = (...rows: string[]) =>
  importFile(app, csv('id,name,at,customerId,value,currency,properties', ...rows), { recordType: 'EVENTS' });

async function activityOf(externalId: string) {
  const { customer } = await app.query<{
    customer: { signupAt: string; firstOrderAt: string | null; lastActivityAt: string | null };
  }>('query ($externalId: String!) { customer(externalId: $externalId) { signupAt firstOrderAt lastActivityAt } }', {
    externalId,
  });
  return [customer.signupAt, customer.firstOrderAt, customer.lastActivityAt].map((at) => at?.slice(0, 10) ?? null);
}

test('events of a file move the last activity forward and the first order back, never the other way', async () => {
  const first = await importEvents(
    '1,session.started,2026-02-01,ann,,,',
    '2,session.started,2026-03-01,ann,,,',
    '3,ticket.solved,2026-04-01,ann,,,',
    '4,order.placed,2026-03-01,bob,20,EUR,',
    '5,ticket.solved,2026-03-02,cid,,,',
  );
  expect(first).toMatchObject({ state: 'DONE', result: { rowsStored: 5, customersCreated: 3 } });
  expect({ ann: await activityOf('ann'), bob: await activityOf('bob'), cid: await activityOf('cid') }).toEqual({
    ann: ['2026-02-01', null, '2026-03-01'],
    bob: ['2026-03-01', '2026-03-01', '2026-03-01'],
    cid: ['2026-03-02', null, null],
  });

  const second = await importEvents(
    '6,session.started,2026-01-01,ann,,,',
    '7,order.placed,2026-02-20,bob,10,EUR,',
    '8,session.started,2026-05-01,cid,,,',
  );
  expect(second).toMatchObject({ state: 'DONE', result: { rowsStored: 3, customersCreated: 0 } });
  expect({ ann: await activityOf('ann'), bob: await activityOf('bob'), cid: await activityOf('cid') }).toEqual({
    ann: ['2026-02-01', null, '2026-03-01'],
    bob: ['2026-03-01', '2026-02-20', '2026-03-01'],
    cid: ['2026-03-02', null, '2026-05-01'],
  });
});
