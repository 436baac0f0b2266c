import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openEmbeddedEngine } from '../core/analytics/embedded/engine.ts';
import { serveAnalytics } from '../core/analytics/http/server.ts';
import type { Logger } from '../core/logger.ts';

export interface AnalyticsCommandOptions {
  /** The data folder; ClickHouse lives in `clickhouse` below it, where `serve` alone would open it, too. */
  readonly dataFolder: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logger: Logger;
  /** Statements running at once. */
  readonly maxConcurrent?: number;
}

export interface RunningAnalytics {
  /** What the other processes put into CLICKHOUSE_URL, password included. */
  readonly url: string;
  /** Answers what runs, then lets the folder go. */
  close(): Promise<void>;
}

/** Anyone who may use the engine may read files of this machine through it, so it is for this machine alone. */
const HOST = '127.0.0.1';
const USER = 'holdfast';
const PASSWORD_FILE = 'analytics.password';

/**
 * Serves the embedded ClickHouse to other processes of this machine through ClickHouse's own HTTP interface.
 * @throws AnalyticsFolderInUse, EmbeddedEngineMissing
 */
export async function startAnalyticsServer(options: AnalyticsCommandOptions): Promise<RunningAnalytics> {
  mkdirSync(options.dataFolder, { recursive: true });
  const engine = await openEmbeddedEngine(path.join(options.dataFolder, 'clickhouse'), options.maxConcurrent ?? 8);
  try {
    const password = keptPassword(options.dataFolder);
    const server = await serveAnalytics({
      engine,
      host: HOST,
      port: options.port,
      user: USER,
      password,
      logger: options.logger,
    });
    return {
      url: `http://${USER}:${password}@${HOST}:${server.port}`,
      async close() {
        await server.close();
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Made once, so that CLICKHOUSE_URL stays right when the command is started again. */
function keptPassword(folder: string): string {
  const file = path.join(folder, PASSWORD_FILE);
  try {
    writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    chmodSync(file, 0o600);
  }
  return readFileSync(file, 'utf8').trim();
}
