import path from 'node:path';
import { Command } from 'commander';
import { readConfig } from '../../config.ts';
import { createLogger } from '../../core/logger.ts';
import { type BackupSummary, backup, restore } from '../backup/index.ts';
import { readRunFile } from '../embedded/data-folder.ts';
import { openEngines } from '../engines.ts';
import { post, refusalOf } from './client.ts';
import { say } from './output.ts';

function describe({ takenAt, recordRows, historyRows, uploads, uploadsElsewhere }: BackupSummary): string {
  const files = uploads === 0 ? '' : `, ${uploads} files of imports under way`;
  const elsewhere = uploadsElsewhere === 0 ? '' : ` (${uploadsElsewhere} more lie on another machine)`;
  return `${recordRows} rows of records, ${historyRows} rows of history${files}${elsewhere}, as of ${takenAt}`;
}

/** `holdfast backup DIR`. */
export function backupCommand(): Command {
  return new Command('backup')
    .description('Write both engines to a folder, while the server runs or not.')
    .argument('<folder>', 'a folder that is empty or does not exist yet')
    .addHelpText(
      'after',
      '\nThe folder holds personal data and the hashes of keys: keep it as safe as the business itself.',
    )
    .action(async (folder: string) => {
      const summary = await runBackup(path.resolve(folder));
      say(`backed up to ${summary.folder}: ${describe(summary)}`);
    });
}

/** `holdfast restore DIR`. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('Bring a backup into an empty business; no server may be running on it.')
    .argument('<folder>', 'a folder that "holdfast backup" wrote')
    .addHelpText(
      'after',
      '\nIt may come from another machine or an earlier version. Cursors of subscribers stay valid.',
    )
    .action(async (folder: string) => {
      const config = readConfig();
      const logger = createLogger(config.logLevel);
      const engines = await openEngines({ config, logger, notice: say, migrate: false });
      try {
        const summary = await restore({
          databaseUrl: engines.database.url,
          analytics: engines.analytics,
          dataFolder: config.dataFolder,
          folder,
        });
        say(`restored from ${summary.folder}: ${describe(summary)}`);
      } finally {
        await engines.close();
      }
    });
}

/** Through the running server, since only that may open the embedded engines; without one, by opening them. */
async function runBackup(folder: string): Promise<BackupSummary> {
  const config = readConfig();
  const running = readRunFile(config.dataFolder);
  if (running !== null) {
    const answer = await post<BackupSummary>(running, '/backup', JSON.stringify({ folder }));
    if (answer.status !== 200) throw refusalOf(answer);
    return answer.body;
  }
  const engines = await openEngines({ config, logger: createLogger(config.logLevel), notice: say });
  try {
    return await backup({ ...engines, dataFolder: config.dataFolder, folder });
  } finally {
    await engines.close();
  }
}
