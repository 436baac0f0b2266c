// Prisma's schema engine without its download: the same engine compiled to WebAssembly, over the driver `pg`.
// Prisma's command line fetches a native engine at first use, which needs the network and a host of its own;
// `@prisma/schema-engine-wasm` comes from npm like everything else.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';

/** Stands in for a database where a command needs none. */
const NOWHERE = 'postgresql://127.0.0.1:1/none';

/**
 * @param {{ url?: string, shadowDatabaseUrl?: string, datamodels?: [file: string, text: string][] }} options
 * @returns the engine: one method for each command of the protocol (diff, createMigration, applyMigrations ...)
 */
export async function openSchemaEngine({ url = NOWHERE, shadowDatabaseUrl, datamodels }) {
  const bindings = await loadBindings();
  const log = (line) => {
    if (process.env.DEBUG) process.stderr.write(`${line}\n`);
  };
  const adapter = adapterFactory(url, shadowDatabaseUrl);
  return bindings.SchemaEngine.new({ datamodels }, log, bindMigrationAwareSqlAdapterFactory(adapter));
}

/** The engine leaves the message of a panic here before it traps; without it the reason would be lost. */
globalThis.PRISMA_WASM_PANIC_REGISTRY = {
  set_message(message) {
    process.stderr.write(`The schema engine panicked: ${message}\n`);
  },
};

/** The package's own entry imports the .wasm file as a module, which Node does only behind a flag. */
async function loadBindings() {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const folder = path.dirname(fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg')));
  const wasm = readFileSync(path.join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return bindings;
}

function adapterFactory(url, shadowDatabaseUrl) {
  const options = { schema: new URL(url).searchParams.get('schema') ?? 'public' };
  const open = (config) => {
    const factory = new PrismaPg({ ...config, Client: CatalogueClient }, options);
    const connect = factory.connect.bind(factory);
    factory.connect = async () => mended(await connect());
    return factory;
  };
  const main = open(connectionOf(url));
  // adapter-pg's own drops the shadow database before it closes the pool that uses it, which PostgreSQL refuses.
  main.connectToShadowDb = async () => {
    if (shadowDatabaseUrl !== undefined) {
      const given = await open(connectionOf(shadowDatabaseUrl)).connect();
      // A command may ask for the shadow more than once, and each time it must be empty.
      await given.executeScript('DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public');
      return given;
    }
    const database = `prisma_migrate_shadow_db_${randomUUID()}`;
    const admin = await main.connect();
    await admin.executeScript(`CREATE DATABASE "${database}"`);
    const shadow = await open({ ...connectionOf(url), database }).connect();
    const close = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await close();
      await admin.executeScript(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
      await admin.dispose();
    };
    return shadow;
  };
  return main;
}

/**
 * The parts of a URL. adapter-pg must not get the URL itself: for its shadow database it only overrides `database`,
 * which `pg` ignores beside a connection string, so the "shadow" would be the real database.
 */
function connectionOf(text) {
  const url = new URL(text);
  const encrypted = ['require', 'verify-ca', 'verify-full'].includes(url.searchParams.get('sslmode'));
  return {
    host: url.searchParams.get('host') ?? decodeURIComponent(url.hostname),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
    database: decodeURIComponent(url.pathname.slice(1)) || 'postgres',
    ssl: encrypted || undefined,
  };
}

/**
 * Types of the catalogue that the engine reads and adapter-pg cannot name: name, regproc, pg_node_tree, regclass ...
 * They pass for text. Only "char" does not: the engine wants a character there and panics at a text.
 */
const CATALOGUE_TYPES = new Set([18, 19, 24, 194, 2205, 2206, 3220, 4089]);
const CHAR = 18;
const TEXT = 25;
/** Ends the name of a "char" column on its way through adapter-pg, which has no type for it. */
const CHAR_MARK = '\u0000char';

class CatalogueClient extends pg.Client {
  query(...args) {
    const callback = args.at(-1);
    if (typeof callback === 'function') {
      return super.query(...args.slice(0, -1), (error, result) => callback(error, result && withKnownTypes(result)));
    }
    const answer = super.query(...args);
    return typeof answer?.then === 'function' ? answer.then(withKnownTypes) : answer;
  }
}

function withKnownTypes(results) {
  for (const field of [results].flat().flatMap((result) => result?.fields ?? [])) {
    if (field.dataTypeID === CHAR) field.name += CHAR_MARK;
    if (CATALOGUE_TYPES.has(field.dataTypeID)) field.dataTypeID = TEXT;
  }
  return results;
}

function mended(adapter) {
  // Its own cuts a script at every semicolon, also within a comment or a function's body, and runs the pieces on any
  // connection of the pool. PostgreSQL takes the script whole, as one transaction.
  adapter.executeScript = async (script) => {
    try {
      await adapter.client.query(script);
    } catch (error) {
      adapter.onError(error);
    }
  };
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    result.columnNames.forEach((name, i) => {
      if (!name.endsWith(CHAR_MARK)) return;
      result.columnNames[i] = name.slice(0, -CHAR_MARK.length);
      result.columnTypes[i] = ColumnTypeEnum.Character;
    });
    return result;
  };
  return adapter;
}

const ERROR_CODES = { '3D000': 'P1003', '42P04': 'P1009', '28P01': 'P1000' };
const UNREACHABLE = 'P1001';

/** The engine's commands about a whole database; a failure carries Prisma's code in `prismaCode`. */
export async function runDatabaseCommand(command, url) {
  const target = new URL(url);
  target.searchParams.delete('schema');
  const database = pg.escapeIdentifier(decodeURIComponent(target.pathname.slice(1)));
  const server = new URL(target);
  server.pathname = '/postgres';
  try {
    if (command === 'can-connect-to-database') await execute(target);
    else if (command === 'create-database') await execute(server, `CREATE DATABASE ${database}`);
    else if (command === 'drop-database') await execute(server, `DROP DATABASE IF EXISTS ${database}`);
    else throw new Error(`The schema engine has no command "${command}".`);
  } catch (error) {
    throw Object.assign(error, { prismaCode: ERROR_CODES[error.code] ?? UNREACHABLE });
  }
}

async function execute(url, sql) {
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  try {
    if (sql !== undefined) await client.query(sql);
  } finally {
    await client.end();
  }
}
