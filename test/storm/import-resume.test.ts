import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemCall } from '../../src/core/call.ts';
import { openImports, type Places } from '../imports/engines.ts';
import { csv } from '../imports/support.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const folders: string[] = [];
const databases: TestDatabase[] = [];
let children: ChildProcess[] = [];

async function newPlaces(): Promise<Places> {
  const database = await createTestDatabase();
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-resume-'));
  databases.push(database);
  folders.push(folder);
  return { url: database.url, folder };
}

let killed: Places;
let whole: Places;

beforeAll(async () => {
  killed = await newPlaces();
  whole = await newPlaces();
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const database of databases) await database.drop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Orders of a few hundred customers, with all that cleaning looks for. */
const FILE = csv(
  'InvoiceNo,StockCode,Quantity,UnitPrice,InvoiceDate,CustomerID,Country',
  ...Array.from({ length: 3_000 }, (_, n) => {
    const order = Math.floor(n / 3);
    const day = String(1 + (order % 28)).padStart(2, '0');
    const isReturn = order % 17 === 16;
    const customer = order % 11 === 10 ? '' : `c${order % 300}`;
    const quantity = isReturn ? -1 : n % 997 === 0 ? 90_000 : 1 + (n % 7);
    return `${isReturn ? 'C' : ''}${order},p${n % 40},${quantity},${n % 50 === 0 ? 0 : `${1 + (n % 9)}.25`},2026-01-${day} 10:00:00,${customer},Spain`;
  }),
  '0,p0,1,0,2026-01-01 10:00:00,c0,Spain',
);

async function startJob(places: Places): Promise<string> {
  const { service, close } = await openImports(places);
  const call = systemCall('test');
  const { uploadId } = await service.uploads.receive(call, Readable.from([Buffer.from(FILE)]), {
    fileName: 'x.csv',
    maxBytes: 1e9,
  });
  const { job } = await service.start(call, { uploadId, recordType: 'ORDERS', acceptQuality: true, live: true });
  await close();
  return job.id;
}

/** Lets a process import until its `nth` statement, and kills it there; true when it came to the end instead. */
async function importUntil(places: Places, jobId: string, nth: number): Promise<boolean> {
  const child = fork(new URL('importing-process.ts', import.meta.url), [places.url, places.folder, jobId], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.push(child);
  let statements = 0;
  let isDone = false;
  child.on('message', (message) => {
    if (message === 'done') isDone = true;
    else if (++statements === nth) child.kill('SIGKILL');
    else child.send('go on');
  });
  await once(child, 'exit');
  children = children.filter((each) => each !== child);
  return isDone;
}

/** All an import leaves behind, without ids and times of its own. */
async function stateOf(places: Places) {
  const { database, analytics, close } = await openImports(places);
  const records = await database.query(
    `select c.external_id as customer, c.signup_at, c.last_activity_at, c.first_order_at, c.traits,
       (select json_agg(json_build_array(o.external_id, o.placed_at, o.amount_minor) order by o.external_id)
        from customer_order o where o.customer_id = c.id) as orders
     from customer c order by 1`,
  );
  const [counted] = await database.query<{ customers: string }>(
    'select sum(customers) as customers from customer_counter',
  );
  const facts = await database.query<{ type: string; count: number }>(
    `select type, count(*) as count from outbox_event where type <> 'customers.importProgressed' group by type order by type`,
  );
  const lines = await analytics.query(
    `SELECT order_id, import_line, taken_out, toString(amount) AS amount, undoes_line_uid IS NULL AS alone
     FROM order_lines FINAL ORDER BY import_line`,
  );
  const events = await analytics.query(
    'SELECT name, source_id, toString(value) AS value FROM events FINAL ORDER BY name, source_id',
  );
  const rejects = await analytics.query(
    'SELECT line, column, rule, value FROM import_reject FINAL ORDER BY line, rule',
  );
  const stages = await analytics.query(`SELECT name FROM system.tables WHERE startsWith(name, 'stage_')`);
  await close();
  return { records, counted, facts, lines, events, rejects, stages };
}

test('an import killed again and again ends as one that was left alone', { timeout: 240_000 }, async () => {
  const jobId = await startJob(killed);
  // Each process gets further than the one before: the kills fall into every phase, before and after statements.
  let kills = 0;
  for (let nth = 2; !(await importUntil(killed, jobId, nth)); nth += 5) kills += 1;
  expect(kills).toBeGreaterThanOrEqual(5);

  const control = await startJob(whole);
  const { run, close } = await openImports(whole);
  await run(control);
  await close();

  const [after, expected] = [await stateOf(killed), await stateOf(whole)];
  // A process killed while it stages leaves tables that the nightly job sweeps away.
  expect({ ...after, stages: [] }).toEqual({ ...expected, stages: [] });
  expect(expected.stages).toEqual([]);
  expect(expected.facts).toMatchObject([
    { type: 'customers.batchImported', count: 1 },
    { type: 'customers.customerCreated' },
    { type: 'customers.importCompleted', count: 1 },
    { type: 'customers.orderPlaced' },
  ]);
});
