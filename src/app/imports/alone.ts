import type { StartImportInput } from '../../../modules/customers/imports/contract.ts';
import type { Config } from '../../config.ts';
import { systemCall } from '../../core/call.ts';
import { createLogger } from '../../core/logger.ts';
import { createApplication } from '../application.ts';
import { openEngines } from '../engines.ts';
import { importLocally } from './local.ts';
import type { ImportView } from './view.ts';

/** Imports a file where no server runs: opens the engines, does the work, and closes them. */
export async function importAlone(
  config: Config,
  file: string,
  input: Omit<StartImportInput, 'uploadId'>,
  onProgress: (view: ImportView) => void,
): Promise<ImportView> {
  const logger = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel);
  const engines = await openEngines({ config, logger, notice: (line) => process.stderr.write(`${line}\n`) });
  try {
    const application = await createApplication({ config, engines, logger });
    try {
      await application.startWorker();
      const { imports } = application.composition.services.customers;
      return await importLocally(imports, systemCall('import', 'cli'), file, input, onProgress);
    } finally {
      await application.stop();
    }
  } finally {
    await engines.close();
  }
}
