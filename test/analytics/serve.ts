import { startAnalyticsServer } from '../../src/app/analytics-server.ts';
import { createLogger } from '../../src/core/logger.ts';

/** `holdfast analytics` on a free port: prints its address, stops on SIGTERM. */
const [dataFolder = ''] = process.argv.slice(2);
const server = await startAnalyticsServer({ dataFolder, port: 0, logger: createLogger('warn') });
process.once('SIGTERM', () => void server.close());
process.stdout.write(`${server.url}\n`);
