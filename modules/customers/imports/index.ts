import type { Infrastructure } from '../../../src/core/module.ts';
import { importEvents } from './events.ts';
import { importJobs } from './jobs.ts';
import { pipelines } from './pipelines.ts';
import { createRunner } from './runner.ts';
import { importsSchema } from './schema/index.ts';
import { createImportService } from './service.ts';
import { importSettings } from './settings.ts';
import { createUploads, uploadsFolder } from './uploads.ts';

/** Files in: the part of the module that imports, as its table of contents lists it. */
export function imports(infra: Infrastructure) {
  const uploads = createUploads({
    folder: uploadsFolder(infra.dataFolder),
    database: infra.database,
    clock: infra.systemClock,
  });
  const service = createImportService(infra, uploads);
  const runner = createRunner(infra, uploads, pipelines);
  return {
    service,
    settings: importSettings,
    events: importEvents,
    scopes: [
      { name: 'imports:write' as const, description: 'Upload files, import them, and see what became of them.' },
    ],
    jobs: importJobs(infra, uploads, service, runner),
    schema: importsSchema(service),
  };
}
