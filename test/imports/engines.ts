import { imports } from '../../modules/customers/imports/index.ts';
import { customerSettings } from '../../modules/customers/settings.ts';
import { migrateAnalytics } from '../../src/core/analytics/migrate.ts';
import { openAnalytics } from '../../src/core/analytics/open.ts';
import type { Analytics } from '../../src/core/analytics/types.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createDatabase } from '../../src/core/database/index.ts';
import { createLogger } from '../../src/core/logger.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { BUSINESS, BUSINESS_CLOCK, createSettings } from '../../src/core/settings/index.ts';

/** Where a test keeps what an import needs. */
export interface Places {
  readonly url: string;
  readonly folder: string;
}

/** Imports alone, without server and worker: a process that can be killed at any statement. */
export async function openImports({ url, folder }: Places, wrap: (analytics: Analytics) => Analytics = (same) => same) {
  const logger = createLogger('silent');
  const database = createDatabase({ url, logger, maxConnections: 6 });
  const opened = await openAnalytics({ path: `${folder}/clickhouse` }, { database: 'holdfast' });
  await migrateAnalytics(opened, (run) => run());
  const analytics = wrap(opened);
  const settings = createSettings(database, systemClock);
  const clocks = { clock: systemClock, systemClock };
  const metrics = createMetrics({ processMetrics: false });
  const {
    service,
    jobs,
    settings: own,
  } = imports({ database, analytics, settings, logger, metrics, dataFolder: folder, ...clocks });
  settings.declare([BUSINESS, BUSINESS_CLOCK, ...customerSettings, ...own]);
  const [runImport] = jobs;
  return {
    service,
    database,
    analytics,
    run: async (jobId: string) => {
      await runImport?.run({ jobId }, { signal: new AbortController().signal, logger, attempt: 1, lastAttempt: true });
    },
    close: async () => {
      await opened.close();
      await database.close();
    },
  };
}
