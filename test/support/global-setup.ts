import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { besideDatabase } from '../../src/core/database/migrate.ts';
import { migrateAll } from '../../src/core/database/migrate-all.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from './throwaway-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this run, and the migrated database that test databases are cloned from. */
    postgres: { readonly url: string; readonly template: string };
  }
}

/**
 * One PostgreSQL for the whole run: the server of DATABASE_URL if that is given, else an embedded one. It holds one
 * migrated template, of which `createTestDatabase` makes clones.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.DATABASE_URL;
  const server: ThrowawayPostgres =
    given === undefined ? await startThrowawayPostgres() : { url: given, stop: () => Promise.resolve() };
  const template = `holdfast_test_${randomUUID().slice(0, 8)}`;
  try {
    const connection = besideDatabase({ connectionString: server.url }, template);
    await migrateAll(connection, { createDatabase: true });
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('postgres', { url: server.url, template });
  return async () => {
    if (given !== undefined) await dropDatabasesOf(given, template);
    await server.stop();
  };
}

/** The template and whatever clones a failed test left. */
async function dropDatabasesOf(url: string, template: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      'select datname as name from pg_database where starts_with(datname, $1)',
      [template],
    );
    for (const { name } of rows) await client.query(`drop database ${pg.escapeIdentifier(name)} with (force)`);
  } finally {
    await client.end();
  }
}
