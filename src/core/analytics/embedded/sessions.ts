import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Session } from 'chdb';
import { AnalyticsFolderInUse, AnalyticsFolderUnusable, EmbeddedEngineMissing } from '../errors.ts';

type Chdb = typeof import('chdb');

/** A session that its holder has to itself, with settings and parameters in force. */
export interface Lease {
  readonly session: Session;
  /** Gives the session to the next in line. A dirty one (unknown state) is closed and replaced. */
  release(dirty?: boolean): void;
}

/** What a statement needs to be in force on its session. */
export interface SessionState {
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly params: ReadonlyMap<string, string>;
}

export interface SessionPool {
  acquire(state: SessionState, sql: string, signal?: AbortSignal): Promise<Lease>;
  /** Waits for what runs, then lets the folder go. */
  close(): Promise<void>;
}

/** Ours to keep: what `SET` has been said on a native session. */
interface Slot {
  readonly session: Session;
  database: string;
  readonly settings: Map<string, string>;
  readonly params: Map<string, string>;
}

/**
 * Sessions of the embedded engine on one folder. Settings and query parameters of ClickHouse belong to a session, and
 * chdb's own parameter binding is not safe under concurrency, so a statement holds a session alone while it runs, and
 * what it set is undone only when the next holder wants something else.
 * @param folder absolute path, made by the engine if absent
 * @param size how many statements run at once; more wait in line
 * @throws EmbeddedEngineMissing, AnalyticsFolderInUse
 */
export async function openSessions(folder: string, size: number): Promise<SessionPool> {
  const chdb = await loadChdb();
  const idle: Slot[] = [];
  const waiting: (() => void)[] = [];
  let taken = 0;
  let closing: Promise<void> | undefined;

  const openSlot = (): Slot => ({
    session: openSession(chdb, folder),
    database: 'default',
    settings: new Map(),
    params: new Map(),
  });
  idle.push(openSlot());

  const giveBack = (slot: Slot | undefined): void => {
    taken -= 1;
    if (slot !== undefined) idle.push(slot);
    waiting.shift()?.();
  };

  const turn = async (signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted();
    if (closing !== undefined) throw new Error('the history engine is closed');
    if (taken < size) {
      taken += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onTurn = (): void => {
        signal?.removeEventListener('abort', onAbort);
        taken += 1;
        resolve();
      };
      const onAbort = (): void => {
        waiting.splice(waiting.indexOf(onTurn), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(onTurn);
    });
  };

  return {
    async acquire(state, sql, signal) {
      await turn(signal);
      let slot: Slot | undefined = idle.pop();
      try {
        if (slot !== undefined && hasStaleParam(slot, state, sql)) {
          slot.session.close();
          slot = undefined;
        }
        slot ??= openSlot();
        await bring(slot, state);
      } catch (error) {
        slot?.session.close();
        giveBack(undefined);
        throw error;
      }
      const held = slot;
      let released = false;
      return {
        session: held.session,
        release(dirty = false) {
          if (released) return;
          released = true;
          if (dirty) held.session.close();
          giveBack(dirty ? undefined : held);
        },
      };
    },
    close() {
      closing ??= (async () => {
        // Everyone in line was promised a turn; new callers are refused from here on.
        while (taken > 0) await new Promise<void>((resolve) => waiting.push(resolve));
        for (const slot of idle) slot.session.close();
        await chdb.drainPending();
      })();
      return closing;
    },
  };
}

async function loadChdb(): Promise<Chdb> {
  try {
    return await import('chdb');
  } catch (error) {
    throw new EmbeddedEngineMissing(error);
  }
}

/** Caches and memory of the whole engine. Its own defaults (5 GiB a cache, 90 % of the machine) are a server's. */
const BOUNDS = [
  `--max_server_memory_usage=${4 * 1024 ** 3}`,
  `--mark_cache_size=${256 * 1024 ** 2}`,
  `--primary_index_cache_size=${256 * 1024 ** 2}`,
  `--index_mark_cache_size=${64 * 1024 ** 2}`,
];

function openSession(chdb: Chdb, folder: string): Session {
  try {
    return new chdb.Session(folder, { connectionArgs: BOUNDS });
  } catch (error) {
    // chdb says only that it failed; the reason ("Code: 76. Cannot lock file") it prints by itself.
    const holder = holderOf(folder);
    if (holder !== null && holder !== process.pid) throw new AnalyticsFolderInUse(folder, holder, error);
    throw new AnalyticsFolderUnusable(folder, error);
  }
}

/** The living process that ClickHouse's own lock file names. */
function holderOf(folder: string): number | null {
  const status = path.join(folder, 'status');
  const pid = existsSync(status) ? /^PID: (\d+)/m.exec(readFileSync(status, 'utf8'))?.[1] : undefined;
  if (pid === undefined) return null;
  try {
    process.kill(Number(pid), 0);
    return Number(pid);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? Number(pid) : null;
  }
}

/** Whether the statement names a parameter that is left over from another statement and not given now. */
function hasStaleParam(slot: Slot, state: SessionState, sql: string): boolean {
  if (slot.params.size === 0) return false;
  for (const [, name] of sql.matchAll(/\{\s*([A-Za-z_]\w*)\s*:/g)) {
    if (name !== undefined && slot.params.has(name) && !state.params.has(name)) return true;
  }
  return false;
}

/** Says the `SET`s that lie between what is in force and what is wanted; usually none. */
async function bring(slot: Slot, state: SessionState): Promise<void> {
  const statements: string[] = [];
  if (slot.database !== state.database) statements.push(`USE ${quoteName(state.database)}`);
  for (const name of slot.settings.keys()) {
    if (!state.settings.has(name)) statements.push(`SET ${settingName(name)} = DEFAULT`);
  }
  for (const [name, value] of state.settings) {
    if (slot.settings.get(name) !== value) statements.push(`SET ${settingName(name)} = ${quoteText(value)}`);
  }
  for (const [name, value] of state.params) {
    if (slot.params.get(name) !== value) statements.push(`SET param_${settingName(name)} = ${quoteText(value)}`);
  }
  if (statements.length > 0) await slot.session.queryAsync(statements.join('; '));
  slot.database = state.database;
  for (const name of slot.settings.keys()) if (!state.settings.has(name)) slot.settings.delete(name);
  for (const [name, value] of state.settings) slot.settings.set(name, value);
  for (const [name, value] of state.params) slot.params.set(name, value);
}

function settingName(name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new Error(`"${name}" is not the name of a setting or parameter`);
  return name;
}

/** A text literal of ClickHouse's SQL. */
export const quoteText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** A quoted identifier of ClickHouse's SQL. */
export const quoteName = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
