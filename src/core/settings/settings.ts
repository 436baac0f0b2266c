import type { z } from 'zod';
import { audit } from '../audit.ts';
import { actorName, type Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Database, Tx } from '../database/index.ts';
import { InvalidInput, UnknownSetting } from '../errors.ts';
import type { SettingDefinition } from './definition.ts';

/** A value an operator gave, and when. */
export interface SettingVersion {
  readonly key: string;
  readonly version: number;
  readonly value: unknown;
  readonly actor: string;
  readonly changedAt: Date;
}

/** A setting with the value in force; version 0 is the default. */
export interface SettingInForce {
  readonly definition: SettingDefinition;
  readonly version: number;
  readonly value: unknown;
  readonly changedAt: Date | null;
}

/** Versioned settings of the business. Reads come from memory, refreshed by notification and at the latest after a minute. */
export interface Settings {
  /** Makes settings known; done once for each module before the first read. @throws Error when a key is taken */
  declare(definitions: readonly SettingDefinition[]): void;
  get<T>(definition: SettingDefinition<T>): Promise<T>;
  /** The value read last, without waiting; the default before the first read. For clocks and hot paths. */
  peek<T>(definition: SettingDefinition<T>): T;
  /** Version of the value that `get` and `peek` give; 0 is the default. */
  version(definition: SettingDefinition): number;
  list(): Promise<SettingInForce[]>;
  /** @throws UnknownSetting, InvalidInput with the path inside the value */
  change(call: Call, key: string, value: unknown): Promise<SettingInForce>;
  /** The same inside a transaction of the caller; in force in this process after `refresh`. */
  changeWithin(tx: Tx, call: Call, key: string, value: unknown): Promise<void>;
  history(key: string, limit: number): Promise<SettingVersion[]>;
  refresh(): Promise<void>;
  /** Follows changes made by other processes until closed. */
  follow(): Promise<() => Promise<void>>;
}

const CHANNEL = 'holdfast_settings';
/** Notifications are the fast way; this bounds how stale a process can be that missed one. */
const STALE_AFTER_MS = 60_000;

interface Row {
  key: string;
  version: number;
  value: unknown;
  changedAt: Date;
}

/** @param clock the machine's: when a change was recorded */
export function createSettings(database: Database, clock: Clock): Settings {
  const byKey = new Map<string, SettingDefinition>();
  let rows = new Map<string, Row>();
  /** Values as they were checked: hot paths read settings for every batch. */
  const checked = new WeakMap<Row, unknown>();
  let loadedAtMs = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  const load = async () => {
    const found = await database.query<Row>(
      `select distinct on (key) key, version, value, changed_at as "changedAt"
       from setting_version order by key, version desc`,
    );
    rows = new Map(found.map((row) => [row.key, row]));
    loadedAtMs = clock.now().getTime();
  };
  const refresh = () => {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  };
  const fresh = async () => {
    if (clock.now().getTime() - loadedAtMs > STALE_AFTER_MS) await refresh();
  };
  const inForceValue = <T>(definition: SettingDefinition<T>): T => {
    const row = rows.get(definition.key);
    if (row === undefined) return definition.default;
    if (!checked.has(row)) {
      // A stored value that a newer version no longer accepts must not stop the business: the default holds.
      const parsed = definition.schema.safeParse(row.value);
      checked.set(row, parsed.success ? parsed.data : definition.default);
    }
    return checked.get(row) as T;
  };
  const known = (key: string): SettingDefinition => {
    const definition = byKey.get(key);
    if (definition === undefined) throw new UnknownSetting(key);
    return definition;
  };
  const inForce = (definition: SettingDefinition): SettingInForce => {
    const row = rows.get(definition.key);
    return {
      definition,
      version: row?.version ?? 0,
      value: inForceValue(definition),
      changedAt: row?.changedAt ?? null,
    };
  };

  const settings: Settings = {
    declare(definitions) {
      for (const definition of definitions) {
        if (byKey.has(definition.key)) throw new Error(`setting "${definition.key}" is defined twice`);
        byKey.set(definition.key, definition);
      }
    },
    refresh,
    peek: inForceValue,
    version: ({ key }) => rows.get(key)?.version ?? 0,
    async get(definition) {
      await fresh();
      return inForceValue(definition);
    },
    async list() {
      await fresh();
      return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(inForce);
    },
    async change(call, key, value) {
      await database.transaction((tx) => settings.changeWithin(tx, call, key, value));
      await load();
      return inForce(known(key));
    },
    async changeWithin(tx, call, key, value) {
      const definition = known(key);
      const parsed = definition.schema.safeParse(value);
      if (!parsed.success) throw invalidValue(key, parsed.error);
      // One change of a key at a time, so that versions have no gap and no twin.
      await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`setting:${key}`]);
      const [last] = await tx.query<{ version: number; value: unknown }>(
        'select version, value from setting_version where key = $1 order by version desc limit 1',
        [key],
      );
      await tx.query(
        `insert into setting_version (key, version, value, actor, changed_at) values ($1, $2, $3::jsonb, $4, $5)`,
        [key, (last?.version ?? 0) + 1, JSON.stringify(parsed.data), actorName(call.actor), clock.now()],
      );
      const from = last?.value ?? definition.default;
      await audit(tx, call, clock, { action: 'settings.change', subject: key, detail: { from, to: parsed.data } });
      await tx.query('select pg_notify($1, $2)', [CHANNEL, key]);
    },
    async history(key, limit) {
      known(key);
      return database.query<SettingVersion>(
        `select key, version, value, actor, changed_at as "changedAt"
         from setting_version where key = $1 order by version desc limit $2`,
        [key, limit],
      );
    },
    async follow() {
      await refresh();
      return database.listen(CHANNEL, () => {
        // A failed refresh leaves the values as they are; the next read tries again.
        load().catch(() => {
          loadedAtMs = Number.NEGATIVE_INFINITY;
        });
      });
    },
  };
  return settings;
}

function invalidValue(key: string, error: z.ZodError): InvalidInput {
  const [issue] = error.issues;
  const path = ['value', ...(issue?.path ?? []).map(String)];
  return new InvalidInput(
    `The setting "${key}" does not accept this value: ${path.join('.')}: ${issue?.message ?? 'invalid'}.`,
    { path },
  );
}
