import { Logger, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { type MigrateOptions, type MigrateResult, migrate } from './migrate.ts';

/** graphile-worker reports each of its steps; a person needs to hear only what is wrong. */
const quiet = new Logger(() => (level, message) => {
  if (level === 'error') process.stderr.write(`${message}\n`);
});

/** Brings a whole database up to date: our tables, then the job queue's, under one lock. */
export function migrateAll(
  connection: pg.ClientConfig,
  options: Omit<MigrateOptions, 'after'> = {},
): Promise<MigrateResult> {
  return migrate(connection, { ...options, after: migrateJobs });
}

async function migrateJobs(connection: pg.ClientConfig): Promise<void> {
  const pgPool = new pg.Pool({ ...connection, max: 2 });
  // A connection lost while idle is made anew; one lost in use fails its statement.
  pgPool.on('error', () => undefined);
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  try {
    await runMigrations({ pgPool, logger: quiet });
  } finally {
    await pgPool.end();
  }
}
