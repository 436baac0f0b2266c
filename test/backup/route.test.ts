import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../engines/support.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const base = temporaryFolder();
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ worker: false });
});
afterAll(async () => {
  await app.close();
  rmSync(base, { recursive: true, force: true });
});

async function post(body: unknown, key = app.adminKey): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(`${app.server.url}/backup`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

const refusal = (status: number, code: string) => ({
  status,
  answer: { errors: [expect.objectContaining({ extensions: expect.objectContaining({ code }) })] },
});

test('a running server backs itself up, one backup at a time', async () => {
  const folder = path.join(base, 'first');
  const [first, second] = await Promise.all([post({ folder }), post({ folder: path.join(base, 'second') })]);
  const answers = [first, second].sort((a, b) => a.status - b.status);
  expect(answers[0]).toMatchObject({ status: 200, answer: { historyRows: 0 } });
  expect(answers[1]).toEqual(refusal(503, 'CORE_OVERLOADED'));
  const manifest = JSON.parse(readFileSync(path.join(String(answers[0]?.answer.folder), 'manifest.json'), 'utf8'));
  expect(manifest.records.tables.map(({ name }: { name: string }) => name)).toContain('api_key');
});

test('it writes for operators only, and only to an empty place that is named in full', async () => {
  const partner = await app.createKey(['customers:read']);
  expect(await post({ folder: path.join(base, 'third') }, partner)).toEqual(refusal(403, 'ACCESS_SCOPE_MISSING'));
  expect(await post({ folder: path.join(base, 'third') }, 'no-key')).toMatchObject({ status: 401 });
  expect(await post({ folder: 'relative' })).toEqual(refusal(400, 'CORE_INVALID_INPUT'));
  expect(await post('{')).toEqual(refusal(400, 'CORE_INVALID_INPUT'));
  writeFileSync(path.join(base, 'note'), 'mine');
  expect(await post({ folder: base })).toEqual(refusal(400, 'APP_BACKUP_FOLDER_NOT_EMPTY'));
});
