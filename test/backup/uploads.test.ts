import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApplication } from '../../src/app/application.ts';
import { restore } from '../../src/app/backup/index.ts';
import { dumpUploads, loadUploads } from '../../src/app/backup/uploads.ts';
import { openAnalytics } from '../../src/core/analytics/index.ts';
import { createDatabase } from '../../src/core/database/index.ts';
import { newId } from '../../src/core/ids.ts';
import { temporaryFolder } from '../engines/support.ts';
import { logger } from '../events/definitions.ts';
import { csv, importFile, untilAtRest } from '../imports/support.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';

const base = temporaryFolder();
const folder = path.join(base, 'backup');
let app: TestApp;
let target: TestDatabase;

beforeAll(async () => {
  [app, target] = [await startTestApp(), await createEmptyDatabase()];
});
afterAll(async () => {
  await target.drop();
  rmSync(base, { recursive: true, force: true });
});

const HEADER = 'orderId,product,quantity,unitPrice,placedAt,customerId';

async function backUp(): Promise<unknown> {
  const response = await fetch(`${app.server.url}/backup`, {
    method: 'POST',
    headers: { authorization: `Bearer ${app.adminKey}` },
    body: JSON.stringify({ folder }),
  });
  return response.json();
}

test('an import that waited for an answer goes on in the restored business', async () => {
  await importFile(app, csv(HEADER, 'o1,p1,1,1,2026-01-01,ada'), { recordType: 'ORDERS' });
  const waiting = await importFile(app, csv(HEADER, 'o2,p1,1,1,2026-01-01,bob', 'o3,p1,1,1,2026-01-01,'), {
    recordType: 'ORDERS',
  });
  expect(waiting.state).toBe('WAITING');
  // What is done needs its file no more.
  expect(await backUp()).toMatchObject({ uploads: 1, uploadsElsewhere: 0 });
  // One process has one history at a time.
  await app.close();

  const dataFolder = path.join(base, 'data');
  const analytics = await openAnalytics({ path: path.join(base, 'clickhouse') }, { database: 'holdfast' });
  await restore({ databaseUrl: target.url, analytics, dataFolder, folder });
  expect(readdirSync(path.join(dataFolder, 'uploads'))).toHaveLength(1);

  const database = createDatabase({ url: target.url, logger });
  const config = { ...app.config, dataFolder, port: 0 };
  const restored = await createApplication({ config, engines: { database, analytics }, logger });
  await restored.startWorker();
  const server = await restored.startHttp();
  const query: TestApp['query'] = async (text, variables) => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}` },
      body: JSON.stringify({ query: text, variables }),
    });
    return ((await response.json()) as { data: never }).data;
  };
  await query('mutation ($id: ID!) { resumeImport(input: { id: $id }) { __typename } }', { id: waiting.id });
  const done = await untilAtRest({ ...app, query }, waiting.id);
  expect(done).toMatchObject({ state: 'DONE', result: { rowsStored: 2, customersCreated: 1, ordersCreated: 1 } });
  const orders = await database.query('select external_id as id from customer_order order by 1');
  expect(orders).toEqual([{ id: 'o1' }, { id: 'o2' }]);
  await restored.stop();
  await database.close();
  await analytics.close();
}, 60_000);

test('a file whose bytes lie on another machine is named and left out; a damaged one is refused', async () => {
  const [here, elsewhere] = [newId(), newId()];
  const [from, to, copy] = ['from', 'to', 'copy'].map((name) => path.join(base, name)) as [string, string, string];
  mkdirSync(path.join(from, 'uploads'), { recursive: true });
  mkdirSync(path.join(copy, 'uploads'), { recursive: true });
  writeFileSync(path.join(from, 'uploads', here), 'a,b\n1,2\n');
  const uploads = await dumpUploads([here, elsewhere], from, copy);
  expect(uploads).toMatchObject([
    { id: here, file: { bytes: 8 } },
    { id: elsewhere, file: null },
  ]);
  await loadUploads(uploads, to, copy);
  expect(readdirSync(path.join(to, 'uploads'))).toEqual([here]);
  expect(readFileSync(path.join(to, 'uploads', here), 'utf8')).toBe('a,b\n1,2\n');
  writeFileSync(path.join(copy, 'uploads', `${here}.gz`), gzipSync('a,b\n1,3\n'));
  await expect(loadUploads(uploads, path.join(base, 'other'), copy)).rejects.toThrow('is damaged');
  expect(readdirSync(path.join(base, 'other', 'uploads'))).toEqual([]);
});
