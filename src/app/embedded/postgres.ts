import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { EmbeddedPostgresFailed } from './errors.ts';
import { type PostgresBinaries, preparePostgresBinaries } from './postgres-binaries.ts';
import { ensureFreePort, makePrivateFolder, type PostgresPlace, placePostgres } from './postgres-place.ts';
import { runToEnd, startServer, stopOrphan } from './postgres-process.ts';
import { serverSettings } from './postgres-settings.ts';
import type { ServerUser } from './postgres-user.ts';

export interface EmbeddedPostgresOptions {
  /** The data folder; the caller holds its lock (`openDataFolder`). */
  readonly folder: string;
  /** False lets a power failure lose rows, for speed: throw-away databases only. Default true. */
  readonly durable?: boolean;
  /** Receives one line for each thing a person should know (where data lies, what was repaired). */
  readonly onNotice?: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** For DATABASE_URL's place: database `holdfast`, its superuser, loopback. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Where the records are; outside the data folder when root's home is closed to PostgreSQL's user. */
  readonly dataDir: string;
  /** Whether this start made the cluster. */
  readonly firstStart: boolean;
  /** Settles when the server is gone, asked for or not. */
  readonly exited: Promise<void>;
  /** Waits for the checkpoint; harmless when called twice. */
  stop(): Promise<void>;
}

const SUPERUSER = 'holdfast';
const DATABASE = 'holdfast';

/** Starts the PostgreSQL of a data folder, making the cluster at the first start and repairing after a crash. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = path.resolve(options.folder);
  const notice = options.onNotice ?? (() => undefined);
  const { place: recorded, user, outside, copyPlaces } = await placePostgres(folder);
  const binaries = preparePostgresBinaries(user, copyPlaces);
  const firstStart = !existsSync(recorded.dataDir);
  if (binaries.copiedTo !== null) notice(`PostgreSQL's programs run from a copy in ${binaries.copiedTo}`);
  if (outside)
    notice(`records are kept in ${recorded.dataDir}, because PostgreSQL's user ${user?.name} may not enter ${folder}`);
  if (firstStart) await makeCluster(recorded, binaries, user, options.durable !== false);
  else {
    checkVersion(recorded.dataDir, binaries.version);
    const orphan = await stopOrphan(recorded.dataDir);
    if (orphan !== null) notice(`stopped PostgreSQL ${orphan}, which a crash had left running; its data are complete`);
  }
  const { place, server } = await start(folder, recorded, binaries, user, options.durable !== false);
  try {
    await ensureDatabase(place);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: urlOf(place, DATABASE),
    port: place.port,
    pid: server.pid,
    dataDir: place.dataDir,
    firstStart,
    exited: server.exited,
    stop: server.stop,
  };
}

/** Another program may take the port between the look and the start, hence more than one try. */
async function start(
  folder: string,
  recorded: PostgresPlace,
  binaries: PostgresBinaries,
  user: ServerUser | null,
  durable: boolean,
) {
  for (let attempt = 1; ; attempt++) {
    const place = await ensureFreePort(folder, recorded);
    try {
      const server = await startServer({
        binary: binaries.postgres,
        dataDir: place.dataDir,
        logFile: path.join(folder, 'postgres.log'),
        settings: serverSettings({ port: place.port, dataDir: place.dataDir, durable }),
        user,
      });
      return { place, server };
    } catch (error) {
      const portTaken = error instanceof EmbeddedPostgresFailed && error.message.includes('Address already in use');
      if (!portTaken || attempt === 3) throw error;
    }
  }
}

/**
 * initdb into a neighbour that is renamed when complete: a start cut short leaves no half cluster. The built-in
 * C.UTF-8 locale sorts and compares the same on every machine and needs no locale installed.
 */
async function makeCluster(
  place: PostgresPlace,
  binaries: PostgresBinaries,
  user: ServerUser | null,
  durable: boolean,
): Promise<void> {
  const home = path.dirname(place.dataDir);
  const draft = path.join(home, 'postgres.new');
  const passwordFile = `${draft}.password`;
  rmSync(draft, { recursive: true, force: true });
  try {
    makePrivateFolder(draft, user);
    writeFileSync(passwordFile, `${place.password}\n`, { mode: 0o600 });
    if (user !== null) chownSync(passwordFile, user.uid, user.gid);
    await runToEnd(
      binaries.initdb,
      [
        `--pgdata=${draft}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--text-search-config=simple',
        '--no-instructions',
        ...(durable ? [] : ['--no-sync']),
      ],
      user,
    );
    renameSync(draft, place.dataDir);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(draft, { recursive: true, force: true });
  }
}

function checkVersion(dataDir: string, packageVersion: string): void {
  const found = readFileSync(path.join(dataDir, 'PG_VERSION'), 'utf8').trim();
  const wanted = packageVersion.split('.')[0];
  if (found === wanted) return;
  throw new EmbeddedPostgresFailed(
    `${dataDir} was made by PostgreSQL ${found}, but PostgreSQL ${wanted} is installed. Run the former Holdfast's "backup", ` +
      'then "restore" into a new data folder.',
  );
}

async function ensureDatabase(place: PostgresPlace): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(place, 'postgres') });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(DATABASE)}`);
  } finally {
    await client.end();
  }
}

const urlOf = (place: PostgresPlace, database: string): string =>
  `postgresql://${SUPERUSER}:${place.password}@127.0.0.1:${place.port}/${database}`;
