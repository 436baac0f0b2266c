import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Session } from 'chdb';
import { AnalyticsFolderInUse, AnalyticsFolderUnusable, EmbeddedEngineMissing } from '../errors.ts';
import { quoteName, quoteText } from '../sql.ts';
import { createGate, type Gate } from './gate.ts';

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

/**
 * What a session is for. A stream lasts as long as its reader likes, and the reader may run statements meanwhile: were
 * both to stand in one line, some streams could wait for one another for ever.
 */
export type Purpose = 'statement' | 'stream';

export interface SessionPool {
  acquire(purpose: Purpose, state: SessionState, sql: string, signal?: AbortSignal): Promise<Lease>;
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
 * @throws EmbeddedEngineMissing, AnalyticsFolderInUse, AnalyticsFolderUnusable
 */
export async function openSessions(folder: string, size: number): Promise<SessionPool> {
  const chdb = await loadChdb();
  // The engine lives as long as any session of the folder is open; this one is never used for anything else.
  const anchor = openSession(chdb, folder);
  const idle: Slot[] = [];
  const gates: Readonly<Record<Purpose, Gate>> = {
    statement: createGate(size, MAX_WAITING),
    stream: createGate(MAX_STREAMS, 0),
  };
  let closed: Promise<void> | undefined;

  const openSlot = (): Slot => ({
    session: openSession(chdb, folder),
    database: 'default',
    settings: new Map(),
    params: new Map(),
  });

  const ready = async (state: SessionState, sql: string): Promise<Slot> => {
    const reused = idle.pop();
    const isFit = reused !== undefined && !hasStaleParam(reused, state, sql);
    if (!isFit) reused?.session.close();
    const slot = isFit ? reused : openSlot();
    try {
      await bring(slot, state);
      return slot;
    } catch (error) {
      slot.session.close();
      throw error;
    }
  };

  return {
    async acquire(purpose, state, sql, signal) {
      const gate = gates[purpose];
      await gate.enter(signal);
      try {
        const slot = await ready(state, sql);
        let isReleased = false;
        return {
          session: slot.session,
          release(dirty = false) {
            if (isReleased) return;
            isReleased = true;
            if (dirty || idle.length >= size) slot.session.close();
            else idle.push(slot);
            gate.leave();
          },
        };
      } catch (error) {
        gate.leave();
        throw error;
      }
    },
    close() {
      closed ??= (async () => {
        await Promise.all([gates.statement.close(), gates.stream.close()]);
        for (const { session } of idle) session.close();
        anchor.close();
        await chdb.drainPending();
      })();
      return closed;
    },
  };
}

/** Results being read at once; each costs a session and a buffer. */
const MAX_STREAMS = 64;
const MAX_WAITING = 10_000;

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
