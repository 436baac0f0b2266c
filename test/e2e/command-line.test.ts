import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from '../engines/support.ts';
import { csv } from '../imports/support.ts';
import { ADMIN_KEY, PROGRAM, type ServerProcess, serverProcess } from '../storm/server-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let folder: string;
let database: TestDatabase;
let server: ServerProcess;
let environment: Readonly<Record<string, string>>;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-command-line-'));
  database = await createTestDatabase();
  environment = {
    HOLDFAST_DATA: path.join(folder, 'data'),
    DATABASE_URL: database.url,
    HOLDFAST_MAX_UPLOAD_BYTES: '10000',
  };
  server = serverProcess(environment);
  ({ url } = await server.start());
});
afterAll(async () => {
  await server.destroy();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a person does, beside the server. */
async function holdfast(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', ...environment },
  });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const importFile = (file: string, ...options: readonly string[]): Promise<Ended> =>
  holdfast('import', file, '--type', 'orders', ...options);

function fileOf(name: string, content: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

interface Answer {
  readonly customers: { readonly edges: readonly { readonly node: unknown }[] };
  readonly imports: { readonly edges: readonly { readonly node: unknown }[] };
}

/** All customers, and all imports with the newest first, as the server has them. */
async function known(): Promise<{ readonly customers: unknown[]; readonly imports: unknown[] }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({
      query: `{
        customers(first: 10) { edges { node { externalId orders(first: 2) { edges { node { externalId } } } } } }
        imports(first: 10) { edges { node { fileName state dryRun } } }
      }`,
    }),
  });
  const { data } = (await response.json()) as { data: Answer };
  return {
    customers: data.customers.edges.map(({ node }) => node),
    imports: data.imports.edges.map(({ node }) => node),
  };
}

describe('holdfast import, while a server runs', () => {
  const HEADER = 'orderId,product,quantity,unitPrice,placedAt,customerId';
  const GOOD = 'o1,p1,2,3.50,2026-05-01 10:00:00,ada';
  // A third of the rows names no customer: far below the quality that the business asks for.
  const rows = [
    'o1,p1,2,3.50,2026-05-01 10:00:00,ada',
    'o2,p1,1,3.50,2026-05-02 10:00:00,ada',
    'o3,p1,1,1,2026-05-01,',
  ];
  let file: string;
  beforeAll(() => {
    file = fileOf('orders.csv', csv(HEADER, ...rows));
  });

  test('a dry run reports and stores nothing', async () => {
    const { code, stdout, stderr } = await importFile(file, '--dry-run');
    expect(stdout).toContain('quality 66.66 %: 2 of 3 rows without an error');
    expect(stdout).toMatch(/1 Rows without a customer +3 +2 +-1 +dropped/);
    expect(stdout).toContain('dry run: nothing was stored');
    expect(stderr).toMatch(/^ +0 % {2}reading the file\n(.*\n)* +100 % {2}done\n$/);
    expect(code).toBe(0);
    expect(await known()).toEqual({
      customers: [],
      imports: [{ fileName: 'orders.csv', state: 'DONE', dryRun: true }],
    });
  });

  test('stops after the report when the quality is too low, with an exit code of its own', async () => {
    const { code, stdout, stderr } = await importFile(file);
    expect(stdout).toContain('CUSTOMER_MISSING');
    expect(stdout).toContain('Import again with --accept-quality');
    expect(stderr).not.toContain('done');
    expect(code).toBe(3);
    const { customers, imports } = await known();
    expect(customers).toEqual([]);
    expect(imports[0]).toEqual({ fileName: 'orders.csv', state: 'WAITING', dryRun: false });
  });

  test('goes on with --accept-quality', async () => {
    const { code, stdout, stderr } = await importFile(file, '--accept-quality');
    expect(stdout).toContain('3 rows stored, 0 refused; new: 1 customers, 2 orders');
    expect(stderr).toContain(' 100 %  done\n');
    expect(code).toBe(0);
    const { customers, imports } = await known();
    const orders = { edges: [{ node: { externalId: 'o2' } }, { node: { externalId: 'o1' } }] };
    expect(customers).toEqual([{ externalId: 'ada', orders }]);
    expect(imports[0]).toEqual({ fileName: 'orders.csv', state: 'DONE', dryRun: false });
  });

  test('prints the whole import as JSON when asked to, and says that there was nothing to do', async () => {
    const { code, stdout } = await importFile(file, '--accept-quality', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      recordType: 'ORDERS',
      state: 'DONE',
      isRepeat: true,
      result: { rowsStored: 3, customersCreated: 0, ordersCreated: 0, ordersChanged: 0 },
    });
    expect(code).toBe(0);
  });

  test('says in one line what is wrong, and fails', async () => {
    const large = csv(HEADER, ...Array.from({ length: 300 }, () => GOOD));
    const ended = await Promise.all([
      importFile(path.join(folder, 'absent.csv')),
      importFile(fileOf('empty.csv', '')),
      importFile(fileOf('large.csv', large)),
      importFile(file, '--map', 'country=Land'),
    ]);
    expect(ended.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(/^There is no file .*\n$/),
      expect.stringMatching(/^The file is empty\. .*\n$/),
      expect.stringMatching(/^The body is larger than 10000 bytes\. .*\n$/),
      expect.stringMatching(/^The file has no column "Land" for "country".*\n$/),
    ]);
    expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual(ended.map(() => [1, '']));
  });
});

test('holdfast import, with no server, does the work itself', { timeout: 120_000 }, async () => {
  await server.stop();
  const file = fileOf('customers.ndjson', '{"id":"grace","name":"Grace","plan":"pro"}\n');
  const { code, stdout, stderr } = await holdfast('import', file, '--type', 'customers');
  expect(stdout).toContain('1 rows stored, 0 refused; new: 1 records');
  expect(stderr).toContain('history: embedded ClickHouse');
  expect(stderr).toContain(' 100 %  done\n');
  expect(code).toBe(0);
  const stored = await query<{ name: string }>(database.url, `select name from customer where external_id = 'grace'`);
  expect(stored).toEqual([{ name: 'Grace' }]);
});
