import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DataFolderUnusable } from './errors.ts';
import { lockFolder } from './lock.ts';
import { processStart } from './process-identity.ts';

/** The folder in which one running Holdfast keeps everything: engines, uploads, the run file. */
export interface DataFolder {
  /** Absolute. */
  readonly path: string;
  /** Path of a file or folder in it. */
  file(...names: readonly string[]): string;
  /** Gives the folder back and removes the run file; harmless when called twice. */
  release(): void;
}

/** What a command line beside a running server needs in order to talk to it. */
export interface RunFile {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** Whether the port speaks HTTPS. */
  readonly tls: boolean;
  /** An admin key known only to who can read the file; it dies with the process. */
  readonly adminKey: string;
}

const RUN_FILE = 'run.json';

/**
 * Opens the data folder for this process alone, making it if need be.
 * @throws DataFolderInUse when another living process has it, DataFolderUnusable when it cannot be written
 */
export function openDataFolder(folder: string): DataFolder {
  const absolute = path.resolve(folder);
  const lock = usable(absolute, () => {
    ensureFolder(absolute);
    return lockFolder(absolute);
  });
  return {
    path: absolute,
    file: (...names) => path.join(absolute, ...names),
    release() {
      removeRunFile(absolute);
      lock.release();
    },
  };
}

function usable<T>(folder: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw new DataFolderUnusable(folder, error);
    throw error;
  }
}

/**
 * Nobody else has business in the folder. Only when root runs Holdfast others may pass through it (not list it),
 * because PostgreSQL must run as another user and has its own folder inside, closed to all but that user.
 */
function ensureFolder(folder: string): void {
  const isRoot = process.getuid?.() === 0;
  mkdirSync(folder, { recursive: true, mode: isRoot ? 0o711 : 0o700 });
  if (!isRoot) return;
  const mode = statSync(folder).mode & 0o777;
  if ((mode & 0o001) === 0) chmodSync(folder, mode | 0o011);
}

/** Tells commands on this machine where the server listens. Readable by its owner only. */
export function writeRunFile(folder: string, run: Omit<RunFile, 'pid'>): void {
  const file = path.join(folder, RUN_FILE);
  const draft = `${file}.${process.pid}`;
  const record = { pid: process.pid, start: processStart(process.pid), ...run };
  writeFileSync(draft, JSON.stringify(record, null, 2), { mode: 0o600 });
  renameSync(draft, file);
}

/** The running server of a data folder; null when none runs, also when a crashed one left its file behind. */
export function readRunFile(folder: string): RunFile | null {
  try {
    const record = JSON.parse(readFileSync(path.join(folder, RUN_FILE), 'utf8'));
    if (processStart(record.pid) !== record.start) return null;
    return {
      pid: record.pid,
      host: record.host,
      port: record.port,
      tls: record.tls === true,
      adminKey: record.adminKey,
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

function removeRunFile(folder: string): void {
  const file = path.join(folder, RUN_FILE);
  if (readRunFile(folder)?.pid === process.pid) rmSync(file, { force: true });
}
