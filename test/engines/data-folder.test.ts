import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder, readRunFile, writeRunFile } from '../../src/app/embedded/data-folder.ts';
import { DataFolderInUse, DataFolderUnusable } from '../../src/app/embedded/errors.ts';
import { processStart } from '../../src/app/embedded/process-identity.ts';
import { hold, temporaryFolder } from './support.ts';

let base: string;
let folder: string;
beforeEach(() => {
  base = temporaryFolder();
  folder = path.join(base, 'data');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Leaves a lock as a process that is gone would have. */
function leaveLock(record: object, number = 1): string {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `lock.${number}`);
  writeFileSync(file, JSON.stringify({ hostname: hostname(), token: 'left', released: false, ...record }));
  return file;
}

test('a second process gets a clear error that names the first, until that one ends', async () => {
  const holder = await hold(folder, { mode: 'lock' });
  expect(() => openDataFolder(folder)).toThrow(DataFolderInUse);
  expect(() => openDataFolder(folder)).toThrow(
    `The data folder ${folder} is in use by process ${holder.pid}. Stop that process, or name another folder in HOLDFAST_DATA.`,
  );
  await holder.end();
  openDataFolder(folder).release();
});

test('the lock of a killed process is taken over', async () => {
  const holder = await hold(folder, { mode: 'lock' });
  await holder.kill();
  openDataFolder(folder).release();
});

test('a number that another process has by now does not keep the folder closed', () => {
  leaveLock({ pid: process.pid, start: 'another-boot/123' });
  openDataFolder(folder).release();
});

test('a lock file cut short by a power failure does not keep the folder closed', () => {
  writeFileSync(leaveLock({}), '{"pid": 1');
  openDataFolder(folder).release();
});

test('a holder in another container is believed while it shows life', () => {
  const file = leaveLock({ pid: 7, start: 'elsewhere/1', hostname: 'other-container' });
  expect(() => openDataFolder(folder)).toThrow('is in use by process 7 on host other-container');
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(file, longAgo, longAgo);
  openDataFolder(folder).release();
});

test('of eight processes that find a dead holder exactly one gets the folder', async () => {
  for (let round = 1; round <= 3; round++) {
    leaveLock({ pid: process.pid, start: `another-boot/${round}` }, round * 1_000);
    const holders = await Promise.all(Array.from({ length: 8 }, () => hold(folder, { mode: 'lock' })));
    const winners = holders.filter(({ said }) => said.held);
    expect(winners).toHaveLength(1);
    const refusals = new Set(holders.filter(({ said }) => !said.held).map(({ said }) => said.message));
    expect([...refusals]).toEqual([expect.stringContaining(`process ${winners[0]?.pid}.`)]);
    await Promise.all(holders.map((holder) => holder.end()));
  }
  // Takers clean up behind each other: what remains is the last number.
  expect(readdirSync(folder)).toHaveLength(1);
}, 60_000);

test('one process cannot open the folder twice, and giving it back twice is harmless', () => {
  const first = openDataFolder(folder);
  expect(() => openDataFolder(folder)).toThrow(`in use by process ${process.pid}`);
  first.release();
  const second = openDataFolder(folder);
  first.release();
  expect(() => openDataFolder(folder)).toThrow(DataFolderInUse);
  second.release();
});

test('a folder that cannot be made is named in the error', () => {
  writeFileSync(folder, 'a file');
  expect(() => openDataFolder(path.join(folder, 'below'))).toThrow(DataFolderUnusable);
});

test('the folder is closed to others, but root lets PostgreSQL pass', () => {
  openDataFolder(folder).release();
  expect(statSync(folder).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700);
});

test('the run file tells only its owner where the running server listens', () => {
  const open = openDataFolder(folder);
  expect(readRunFile(folder)).toBe(null);
  writeRunFile(folder, { host: '127.0.0.1', port: 4000, tls: false, adminKey: 'secret' });
  expect(statSync(open.file('run.json')).mode & 0o777).toBe(0o600);
  expect(readRunFile(folder)).toEqual({
    pid: process.pid,
    host: '127.0.0.1',
    port: 4000,
    tls: false,
    adminKey: 'secret',
  });
  open.release();
  expect(readRunFile(folder)).toBe(null);
});

test('the run file of a server that was killed counts for nothing', async () => {
  const open = openDataFolder(folder);
  writeRunFile(folder, { host: '127.0.0.1', port: 4000, tls: false, adminKey: 'secret' });
  const file = open.file('run.json');
  const record = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...record, start: 'another-boot/1' }));
  expect(readRunFile(folder)).toBe(null);
  open.release();
});

test('a process is known by its start, and is gone when it has ended', async () => {
  const holder = await hold(folder, { mode: 'lock' });
  const start = processStart(holder.pid);
  expect(start).not.toBe(null);
  expect(start).not.toBe(processStart(process.pid));
  await holder.kill();
  expect(processStart(holder.pid)).toBe(null);
});
