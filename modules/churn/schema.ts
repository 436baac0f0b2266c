import type { Builder } from '../../src/core/builder/index.ts';
import { cohortFields } from './schema/cohorts.ts';
import { churnReportField } from './schema/report.ts';
import { revenueField } from './schema/revenue.ts';
import { customerChurn } from './schema/status.ts';
import type { ChurnService } from './service.ts';

/** `Query.churn`, `Query.cohorts`, `Query.revenue`, `Customer.churn`, and the filter by it. */
export const churnSchema =
  (service: ChurnService) =>
  (builder: Builder): void => {
    customerChurn(builder);
    const cohorts = cohortFields(builder, service);
    churnReportField(builder, service, cohorts);
    revenueField(builder, service);
  };
