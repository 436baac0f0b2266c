import { randomUUID } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { DataFolderInUse } from './errors.ts';
import { processStart } from './process-identity.ts';

/** A held lock; `release` may be called more than once. */
export interface FolderLock {
  release(): void;
}

interface LockRecord {
  readonly pid: number;
  readonly start: string;
  readonly hostname: string;
  /** Tells two holds by one process apart. */
  readonly token: string;
  readonly released: boolean;
}

/** A holder on another host (a container on a shared volume) cannot be asked, so it shows its life by touching. */
const TOUCH_EVERY_MS = 5_000;
const SILENT_AFTER_MS = 20_000;
const NAME = /^lock\.(\d+)$/;

/**
 * Takes the folder for this process, or throws `DataFolderInUse` with the number of the process that has it.
 *
 * Locks are numbered files and the highest number is the holder. A number is created whole and only once (a hard
 * link fails if it exists), a dead holder is succeeded by number + 1, and the highest is never deleted: so of two
 * processes that find the same dead holder exactly one succeeds it, and nobody can remove a lock just taken.
 */
export function lockFolder(folder: string): FolderLock {
  for (;;) {
    const highest = numbersIn(folder).at(-1) ?? 0;
    if (highest > 0) refuseIfAlive(folder, highest);
    const taken = tryTake(folder, highest + 1);
    if (taken !== null) return taken;
  }
}

function tryTake(folder: string, number: number): FolderLock | null {
  const start = processStart(process.pid) ?? 'unknown';
  const record: LockRecord = { pid: process.pid, start, hostname: hostname(), token: randomUUID(), released: false };
  const file = path.join(folder, `lock.${number}`);
  const draft = `${file}.${record.token}`;
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const numbers = numbersIn(folder);
  if (numbers.at(-1) !== number) {
    // Someone came and went past this number while this process was looking.
    rmSync(file, { force: true });
    return null;
  }
  for (const older of numbers.slice(0, -1)) rmSync(path.join(folder, `lock.${older}`), { force: true });
  return hold(file, record);
}

function hold(file: string, record: LockRecord): FolderLock {
  const timer = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(file, now, now);
    } catch {
      // The folder was deleted under us; there is nothing left to protect.
      clearInterval(timer);
    }
  }, TOUCH_EVERY_MS);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      if (readRecord(file)?.token !== record.token) return;
      writeFileSync(file, JSON.stringify({ ...record, released: true }));
    },
  };
}

function refuseIfAlive(folder: string, number: number): void {
  const file = path.join(folder, `lock.${number}`);
  const record = readRecord(file);
  if (record === null || record.released) return;
  if (record.hostname === hostname()) {
    if (processStart(record.pid) === record.start) throw new DataFolderInUse(folder, { ...record, elsewhere: false });
    return;
  }
  const touchedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Date.now() - touchedMs < SILENT_AFTER_MS) throw new DataFolderInUse(folder, { ...record, elsewhere: true });
}

/** Null when the file is gone, or was cut short by a power failure: then nobody holds it. */
function readRecord(file: string): LockRecord | null {
  try {
    const record: LockRecord = JSON.parse(readFileSync(file, 'utf8'));
    return typeof record.pid === 'number' ? record : null;
  } catch {
    return null;
  }
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
