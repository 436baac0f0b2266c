import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedPostgresUnavailable } from './errors.ts';

/** The user that runs PostgreSQL. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who runs PostgreSQL: null for "the user that runs Holdfast". PostgreSQL refuses to run as root, so root hands it to
 * the user who owns the data already, else to `postgres`, else to `nobody`: one that every system has, because
 * making a user needs tools that a container may lack.
 */
export function chooseServerUser(dataDir: string | null): ServerUser | null {
  if (process.getuid?.() !== 0) return null;
  const users = readUsers();
  const owner = dataDir === null ? undefined : statSync(dataDir, { throwIfNoEntry: false })?.uid;
  const user =
    users.find((one) => owner !== undefined && owner !== 0 && one.uid === owner) ??
    users.find((one) => one.name === 'postgres') ??
    users.find((one) => one.name === 'nobody');
  if (user !== undefined && user.uid !== 0) return user;
  throw new EmbeddedPostgresUnavailable(
    'PostgreSQL does not run as root, and /etc/passwd names neither "postgres" nor "nobody" to run it as. ' +
      'Start Holdfast as an ordinary user, add such a user, or set DATABASE_URL.',
  );
}

function readUsers(): ServerUser[] {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .flatMap(([name, , uid, gid]) => (name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []));
  } catch {
    return [];
  }
}

const EXECUTE = 1;
const READ = 4;

/** Whether the user may enter a folder: every folder on the way to it, and itself. Null is the present user. */
export function canEnter(user: ServerUser | null, folder: string): boolean {
  if (user === null) return true;
  for (let at = realpathSync(folder); ; at = path.dirname(at)) {
    if (!allows(user, at, EXECUTE)) return false;
    if (at === path.dirname(at)) return true;
  }
}

/** Whether the user may read a file (and run it), given that it can enter its folder. */
export function canRead(user: ServerUser | null, file: string, options: { execute?: boolean } = {}): boolean {
  return allows(user, file, options.execute === true ? READ | EXECUTE : READ);
}

function allows(user: ServerUser | null, file: string, wanted: number): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  const uid = user?.uid ?? process.getuid?.() ?? stat.uid;
  const gids = user === null ? (process.getgroups?.() ?? []) : [user.gid];
  const shift = stat.uid === uid ? 6 : gids.includes(stat.gid) ? 3 : 0;
  return ((stat.mode >> shift) & wanted) === wanted;
}
