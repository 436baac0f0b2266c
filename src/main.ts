import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { DomainError } from './core/errors.ts';

/** Each command is loaded when it is asked for: "config" need not wait for the whole server to be read. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./app/commands/serve.ts')).serveCommand(),
  worker: async () => (await import('./app/commands/serve.ts')).workerCommand(),
  demo: async () => (await import('./app/commands/demo.ts')).demoCommand(),
  import: async () => (await import('./app/commands/import.ts')).importCommand(),
  learn: async () => (await import('./app/commands/learn.ts')).learnCommand(),
  keys: async () => (await import('./app/commands/keys.ts')).keysCommand(),
  config: async () => (await import('./app/commands/config.ts')).configCommand(),
  migrate: async () => (await import('./app/commands/migrate.ts')).migrateCommand(),
  backup: async () => (await import('./app/commands/backup.ts')).backupCommand(),
  restore: async () => (await import('./app/commands/backup.ts')).restoreCommand(),
  analytics: async () => (await import('./app/commands/analytics.ts')).analyticsCommand(),
};

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('holdfast')
  .description('Holdfast: customer retention behind one GraphQL API.')
  .version(version)
  .showHelpAfterError('(add --help for what there is)');

try {
  const asked = process.argv[2] ?? '';
  const wanted = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
  for (const name of wanted) {
    const load = COMMANDS[name];
    if (load !== undefined) program.addCommand(await load());
  }
  await program.parseAsync();
} catch (error) {
  // What a person can act on is said in a line; anything else is ours and wants its stack.
  const known = error instanceof DomainError ? `${error.message} (${error.code})` : undefined;
  process.stderr.write(`${known ?? (error instanceof Error ? error.stack : String(error))}\n`);
  process.exitCode = 1;
}
