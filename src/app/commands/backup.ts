import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import path from 'node:path';
import { Command } from 'commander';
import { readConfig } from '../../config.ts';
import { createLogger } from '../../core/logger.ts';
import { type BackupSummary, backup, restore } from '../backup/index.ts';
import { type RunFile, readRunFile } from '../embedded/data-folder.ts';
import { openEngines } from '../engines.ts';
import { RequestFailed, serverUrl } from './client.ts';
import { say } from './output.ts';

const describe = ({ takenAt, recordRows, historyRows }: BackupSummary): string =>
  `${recordRows} rows of records, ${historyRows} rows of history, as of ${takenAt}`;

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
        const summary = await restore({ databaseUrl: engines.database.url, analytics: engines.analytics, folder });
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
  if (running !== null) return askServer(running, folder);
  const engines = await openEngines({ config, logger: createLogger(config.logLevel), notice: say });
  try {
    return await backup({ ...engines, folder });
  } finally {
    await engines.close();
  }
}

/** By Node's own client, because `fetch` gives up on an answer after five minutes, and a large business takes longer. */
async function askServer(run: RunFile, folder: string): Promise<BackupSummary> {
  const body = JSON.stringify({ folder });
  const request = run.tls ? requestHttps : requestHttp;
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const call = request(
      `${serverUrl(run)}/backup`,
      {
        method: 'POST',
        // The certificate is for the name that others use; this is the same machine.
        rejectUnauthorized: false,
        headers: {
          authorization: `Bearer ${run.adminKey}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          received += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: received })).on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(body);
  });
  const answer = JSON.parse(text);
  if (status === 200) return answer;
  throw new RequestFailed(answer.errors?.[0]?.message ?? `The server answered ${status}.`, { status });
}
