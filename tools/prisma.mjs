// Prisma's command line, offline: `npm run prisma -- migrate dev --name add_x --create-only`, `migrate status`, `migrate
// deploy`, `migrate diff`, `generate`, `validate`, `format`. Commands that need a database get that of DATABASE_URL, or a
// throw-away embedded PostgreSQL that has all migrations.
import './require-node.mjs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runDatabaseCommand } from './prisma/engine.mjs';

// Only now: an old Node must get the message above before it meets TypeScript.
const { migrate } = await import('../src/core/database/migrate.ts');
const { startThrowawayPostgres } = await import('../test/support/throwaway-postgres.ts');

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const needsDatabase = ['migrate', 'db'].includes(args[0]) && !args.includes('--help') && !args.includes('-h');

const server = needsDatabase && process.env.DATABASE_URL === undefined ? await startThrowawayPostgres() : null;
let code = 1;
try {
  code = await runPrisma(server === null ? {} : await prepare(server));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
} finally {
  await server?.stop();
}
process.exit(code);

/** Migrations are applied first, so that "dev" compares the models with them and "status" has something to say. */
async function prepare({ url }) {
  await migrate({ connectionString: url });
  const shadow = `${url}_shadow`;
  await runDatabaseCommand('create-database', shadow);
  return { DATABASE_URL: url, SHADOW_DATABASE_URL: shadow };
}

function runPrisma(env) {
  const child = spawn(process.execPath, [path.join(root, 'node_modules/prisma/build/index.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...env,
      // The engine is a script, and must run under this Node.
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`,
      PRISMA_SCHEMA_ENGINE_BINARY: path.join(root, 'tools/prisma/schema-engine.mjs'),
      // Neither ask for updates nor report usage: a contributor may be offline.
      CHECKPOINT_DISABLE: '1',
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
    },
  });
  // Ctrl-C reaches the child by itself; this process stays to stop the database.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('exit', (status, signal) => resolve(signal === null ? (status ?? 1) : 1)));
}
