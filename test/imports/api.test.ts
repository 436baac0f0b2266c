import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeGlobalId } from '../../src/core/builder/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { type Subscriber, subscribe } from '../support/subscriber.ts';
import { csv, findJob, importFile, upload } from './support.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: new Date('2026-06-01T12:00:00Z') });
});
afterAll(() => app.close());

const DAY_MS = 86_400_000;
const HEADER = 'orderId,product,quantity,unitPrice,placedAt,customerId';
const FILE = csv(
  HEADER,
  ...Array.from({ length: 50 }, (_, n) => `o${n},p${n % 7},1,2.50,2026-05-01 10:00:00,c${n % 9}`),
);

interface Progress {
  readonly cursor: string;
  readonly jobId: string;
  readonly state: string;
  readonly phase: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly rowsTotal: number | null;
  readonly rowsRefused: number;
}

const PROGRESS = /* GraphQL */ `
  subscription ImportProgress($jobId: ID!, $after: Cursor) {
    importProgress(jobId: $jobId, after: $after) { cursor jobId state phase bytesDone bytesTotal rowsTotal rowsRefused }
  }
`;

const followProgress = (jobId: string, after: string, key = app.adminKey): Subscriber<Progress> =>
  subscribe({
    url: `${app.server.url}/graphql`,
    key,
    query: PROGRESS,
    variables: { jobId, after },
    field: 'importProgress',
  });

/** Starts an import; answers its id and the place from which its progress is told. */
async function startImport(file: string, more: object = {}): Promise<{ readonly id: string; readonly cursor: string }> {
  const { uploadId } = await upload(app, file);
  const { startImport } = await app.query<{ startImport: { job: { id: string }; cursor: string } }>(
    `mutation ($input: StartImportInput!) {
       startImport(input: $input) { ... on StartImportSuccess { job { id } cursor } ... on DomainError { code } }
     }`,
    { input: { uploadId, recordType: 'ORDERS', ...more } },
  );
  return { id: startImport.job.id, cursor: startImport.cursor };
}

const steps = (events: readonly Progress[]): string[] => events.map(({ state, phase }) => `${state} ${phase}`);

describe('importProgress', () => {
  test('tells every step and completes with the import, however late one asks', async () => {
    const { id, cursor } = await startImport(FILE, { source: 'steps' });
    const events = await followProgress(id, cursor).completed();
    expect(steps(events)).toEqual([
      'RUNNING QUEUED', // It began,
      'RUNNING QUEUED', // and has read some bytes.
      'RUNNING STAGED',
      'RUNNING VALIDATED',
      'RUNNING REPORTED',
      'RUNNING CLEANED',
      'RUNNING CUSTOMERS',
      'RUNNING LOADED',
      'RUNNING DERIVED',
      'DONE DONE',
    ]);
    expect(events.at(-1)).toMatchObject({
      jobId: id,
      bytesDone: FILE.length,
      bytesTotal: FILE.length,
      rowsTotal: 50,
      rowsRefused: 0,
    });
    // It is over, and is told again all the same.
    expect(await followProgress(id, cursor).completed()).toEqual(events);
  });

  test('goes on where a follower was cut off, and tells nothing of other imports', async () => {
    const [{ id, cursor }, other] = [
      await startImport(FILE, { source: 'cut-off' }),
      await startImport(FILE, { source: 'other' }),
    ];
    const first = followProgress(id, cursor);
    await first.arrived(2);
    first.cut();
    const before = [...first.events];
    const after = await followProgress(id, before.at(-1)?.cursor ?? '').completed();
    expect([...before, ...after]).toEqual(await followProgress(id, cursor).completed());
    expect(new Set([...before, ...after].map(({ jobId }) => jobId))).toEqual(new Set([id]));
    expect(steps(await followProgress(other.id, other.cursor).completed()).at(-1)).toBe('DONE DONE');
  });

  test('waits with an import that asks, and completes when that is cancelled', async () => {
    const { id, cursor } = await startImport(csv(HEADER, 'w1,p1,1,1,2026-05-01,'));
    const follower = followProgress(id, cursor);
    await follower.arrived(5);
    expect(steps(follower.events).at(-1)).toBe('WAITING REPORTED');
    await app.query('mutation ($id: ID!) { cancelImport(input: { id: $id }) { __typename } }', { id });
    expect(steps(await follower.completed()).slice(5)).toEqual(['CANCELLED REPORTED']);
  });

  test('is for those who may import', async () => {
    const key = await app.createKey(['events:read', 'customers:read']);
    const { id } = await startImport(FILE, { source: 'mine' });
    const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' };
    const answer = await app.ask(PROGRESS, { jobId: id }, headers);
    expect(answer.status).toBe(403);
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'ACCESS_SCOPE_MISSING' });
  });
});

test('an import that nobody answers for a week is cancelled, and what was read of its file goes', async () => {
  const waiting = await importFile(app, csv(HEADER, 'u1,p1,1,1,2026-05-01,'), { recordType: 'ORDERS' });
  const { composition, infra } = app.app;
  const staged = async (): Promise<number> => {
    const sql = `SELECT count() AS tables FROM system.tables WHERE startsWith(name, 'stage_')`;
    return (await infra.analytics.query<{ tables: number }>(sql))[0]?.tables ?? 0;
  };
  const tidy = async (afterDays: number): Promise<string> => {
    app.clock?.advance(afterDays * DAY_MS);
    const job = composition.jobs.find(({ name }) => name === 'customers.tidyImports');
    await job?.run({}, { signal: new AbortController().signal, logger: infra.logger, attempt: 1, lastAttempt: true });
    return (await findJob(app, waiting.id)).state;
  };
  expect(await tidy(6)).toBe('WAITING');
  expect(await staged()).toBeGreaterThan(0);
  expect(await tidy(2)).toBe('CANCELLED');
  expect(await staged()).toBe(0);
});

describe('the rejects file', () => {
  const get = (path: string, key?: string) =>
    fetch(`${app.server.url}${path}`, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });
  const codeOf = async (response: Response): Promise<string | undefined> => {
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    return errors[0]?.extensions.code;
  };

  test('is CSV with line, column, rule and value of each row refused', async () => {
    const file = csv(
      HEADER,
      'r1,p1,2,3.50,2026-05-01 10:00:00,c1',
      'r2,p1,"a ""dozen"", or so",1,2026-05-01,c1',
      'r3,p1',
      'r4,p1,1,1,2026-02-30,c1',
    );
    const job = await importFile(app, file, { recordType: 'ORDERS', acceptQuality: true });
    const { importJob } = await app.query<{ importJob: { rejectsPath: string } }>(
      'query ($id: ID!) { importJob(id: $id) { rejectsPath } }',
      { id: job.id },
    );
    const response = await get(importJob.rejectsPath, app.adminKey);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="rejects.csv"');
    expect(await response.text()).toMatchInlineSnapshot(`
      ""line","column","rule","value","message"
      3,"quantity","QUANTITY_UNREADABLE","a ""dozen"", or so","The quantity is not a number with at most three decimals."
      4,"","TOO_FEW_COLUMNS","r3,p1","The row has fewer columns than the header."
      5,"placedAt","PLACED_AT_UNREADABLE","2026-02-30","The date does not exist or is not written in the date format of the import."
      "
    `);
  });

  test('is for those who may import', async () => {
    const job = await importFile(app, csv(HEADER, 'r5,p1'), { recordType: 'ORDERS', acceptQuality: true });
    const path = `/imports/${decodeGlobalId(job.id).id}/rejects.csv`;
    expect((await get(path, await app.createKey(['imports:write']))).status).toBe(200);
    const refused = await get(path, await app.createKey(['customers:read', 'events:read']));
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'ACCESS_SCOPE_MISSING']);
    expect((await get(path)).status).toBe(401);
  });

  test('is not there for an import nobody knows, and paths of other shapes are refused', async () => {
    const absent = await get('/imports/01a203a5-361b-7000-b1b0-b6d6abb6fd70/rejects.csv', app.adminKey);
    expect([absent.status, await codeOf(absent)]).toEqual([404, 'CUSTOMERS_IMPORT_NOT_FOUND']);
    const strange = await get('/imports/..%2Fsecret', app.adminKey);
    expect([strange.status, await codeOf(strange)]).toEqual([400, 'CORE_INVALID_INPUT']);
  });
});
