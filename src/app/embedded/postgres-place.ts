import { randomBytes, randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { EmbeddedPostgresFailed, EmbeddedPostgresUnavailable } from './errors.ts';
import { canEnter, chooseServerUser, type ServerUser } from './postgres-user.ts';

/** Where a data folder's PostgreSQL lives and how to reach it; kept in `postgres.json`, readable by its owner only. */
export interface PostgresPlace {
  /** The cluster's own folder (PGDATA). */
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
}

/** Root's data go here when PostgreSQL's user cannot enter the data folder, e.g. under a home of mode 0700. */
const SHARED_HOME = '/var/lib/holdfast';
const RECORD = 'postgres.json';

export interface Placed {
  readonly place: PostgresPlace;
  readonly user: ServerUser | null;
  /** Whether the cluster lies outside the data folder. */
  readonly outside: boolean;
  /** Folders that may take a copy of the binaries, best first. */
  readonly copyPlaces: readonly string[];
}

/** Reads where the cluster is, or decides it once and for all. */
export async function placePostgres(folder: string): Promise<Placed> {
  const known = readPlace(folder);
  const user = chooseServerUser(known?.dataDir ?? path.join(folder, 'postgres'));
  const mayEnter = canEnter(user, folder);
  const copyPlaces = [...(user === null ? [] : [SHARED_HOME]), ...(mayEnter ? [folder] : [])];
  const place = known ?? (await choosePlace(folder, user, mayEnter));
  if (!canEnter(user, path.dirname(place.dataDir))) {
    throw new EmbeddedPostgresUnavailable(
      `${user?.name ?? 'This user'}, who runs PostgreSQL, may no longer enter ${path.dirname(place.dataDir)}, where the records are. ` +
        'Give the folders on the way the mode 0711, or start as the user who made them.',
    );
  }
  return { place, user, outside: path.dirname(place.dataDir) !== folder, copyPlaces };
}

async function choosePlace(folder: string, user: ServerUser | null, mayEnter: boolean): Promise<PostgresPlace> {
  const inside = path.join(folder, 'postgres');
  if (existsSync(inside)) {
    throw new EmbeddedPostgresFailed(
      `${folder} has records in "postgres" but not the file ${RECORD} with their password. Put that file back, ` +
        'or move "postgres" away to begin anew.',
    );
  }
  const dataDir = mayEnter ? inside : path.join(makeOutsideHome(folder, user), 'postgres');
  const place = { dataDir, port: await freePort(), password: randomBytes(24).toString('base64url') };
  writePlace(folder, place);
  return place;
}

/** A folder of its own for each data folder, so that a new one never meets the records of one deleted. */
function makeOutsideHome(folder: string, user: ServerUser | null): string {
  const home = path.join(SHARED_HOME, `${path.basename(path.dirname(folder))}-${randomUUID().slice(0, 8)}`);
  try {
    mkdirSync(SHARED_HOME, { recursive: true, mode: 0o755 });
    mkdirSync(home, { mode: 0o711 });
    writeFileSync(path.join(home, 'belongs-to'), `${folder}\n`);
    if (canEnter(user, home)) return home;
  } catch (error) {
    throw noPlace(folder, user, error);
  }
  throw noPlace(folder, user, undefined);
}

function noPlace(folder: string, user: ServerUser | null, cause: unknown): EmbeddedPostgresUnavailable {
  return new EmbeddedPostgresUnavailable(
    `PostgreSQL runs as ${user?.name ?? 'this user'}, who may not enter ${folder}, and ${SHARED_HOME} cannot be used either. ` +
      'Set HOLDFAST_DATA to a folder that everybody may enter, start Holdfast as an ordinary user, or set DATABASE_URL.',
    { cause },
  );
}

function readPlace(folder: string): PostgresPlace | null {
  const file = path.join(folder, RECORD);
  if (!existsSync(file)) return null;
  try {
    const { dataDir, port, password } = JSON.parse(readFileSync(file, 'utf8'));
    // Relative to the data folder while inside it, so that the folder as a whole may be moved.
    return { dataDir: path.resolve(folder, dataDir), port, password };
  } catch (error) {
    throw new EmbeddedPostgresFailed(`${file} cannot be read. Restore it from a copy, or use "holdfast restore".`, {
      cause: error,
    });
  }
}

function writePlace(folder: string, place: PostgresPlace): void {
  const inside = path.dirname(place.dataDir) === folder;
  const record = { ...place, dataDir: inside ? path.basename(place.dataDir) : place.dataDir };
  const draft = path.join(folder, `${RECORD}.draft`);
  writeFileSync(draft, JSON.stringify(record, null, 2), { mode: 0o600, flush: true });
  renameSync(draft, path.join(folder, RECORD));
}

/** Keeps the recorded port while it is free, else records another one. */
export async function ensureFreePort(folder: string, place: PostgresPlace): Promise<PostgresPlace> {
  if (await isFree(place.port)) return place;
  const moved = { ...place, port: await freePort() };
  writePlace(folder, moved);
  return moved;
}

/** A folder that only PostgreSQL's user may open. */
export function makePrivateFolder(folder: string, user: ServerUser | null): void {
  mkdirSync(folder, { mode: 0o700 });
  if (user !== null) chownSync(folder, user.uid, user.gid);
}

const freePort = (): Promise<number> => listenOnce(0);

async function isFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port);
    return true;
  } catch {
    return false;
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}
