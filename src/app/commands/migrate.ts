import { Command } from 'commander';
import { readConfig } from '../../config.ts';
import { createLogger } from '../../core/logger.ts';
import { openEngines } from '../engines.ts';
import { say } from './output.ts';

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Bring both engines up to date and stop; "serve" does so by itself at its start.')
    .action(async () => {
      const config = readConfig();
      const engines = await openEngines({ config, logger: createLogger(config.logLevel), notice: say });
      await engines.close();
    });
}
