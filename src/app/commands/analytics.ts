import { Command } from 'commander';
import { readConfig } from '../../config.ts';
import { createLogger } from '../../core/logger.ts';
import { startAnalyticsServer } from '../analytics-server.ts';
import { say } from './output.ts';
import { untilStopped } from './running.ts';

export function analyticsCommand(): Command {
  return new Command('analytics')
    .description(
      'Serve the embedded ClickHouse on loopback, so that several Holdfast processes of this machine share it.',
    )
    .action(async () => {
      const config = readConfig();
      const logger = createLogger(config.logLevel);
      const server = await startAnalyticsServer({ dataFolder: config.dataFolder, port: config.analyticsPort, logger });
      say(`ready: start the other processes with CLICKHOUSE_URL=${server.url}`);
      say('Ctrl+C stops it');
      await untilStopped({ logger, stop: () => server.close() });
    });
}
