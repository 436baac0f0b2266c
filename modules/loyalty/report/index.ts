import type { Infrastructure } from '../../../src/core/module.ts';
import { reportSchema } from './schema.ts';
import { createReportService, type ReportPorts } from './service.ts';
import { reportSettings } from './settings.ts';

/** The programme in numbers, as the table of contents of `loyalty` lists it. */
export function loyaltyReport(infra: Infrastructure, ports: ReportPorts) {
  const service = createReportService(infra, ports);
  return { service, settings: reportSettings, schema: reportSchema(service) };
}
