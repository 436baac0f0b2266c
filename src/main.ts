import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { analyticsCommand } from './app/commands/analytics.ts';
import { backupCommand, restoreCommand } from './app/commands/backup.ts';
import { configCommand } from './app/commands/config.ts';
import { demoCommand } from './app/commands/demo.ts';
import { importCommand } from './app/commands/import.ts';
import { keysCommand } from './app/commands/keys.ts';
import { migrateCommand } from './app/commands/migrate.ts';
import { serveCommand, workerCommand } from './app/commands/serve.ts';
import { DomainError } from './core/errors.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('holdfast')
  .description('Holdfast: customer retention behind one GraphQL API.')
  .version(version)
  .showHelpAfterError('(add --help for what there is)')
  .addCommand(serveCommand())
  .addCommand(workerCommand())
  .addCommand(demoCommand())
  .addCommand(importCommand())
  .addCommand(keysCommand())
  .addCommand(configCommand())
  .addCommand(migrateCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addCommand(analyticsCommand());

try {
  await program.parseAsync();
} catch (error) {
  // What a person can act on is said in a line; anything else is ours and wants its stack.
  const text =
    error instanceof DomainError
      ? `${error.message} (${error.code})`
      : error instanceof Error
        ? error.stack
        : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
