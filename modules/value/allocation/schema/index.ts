import type { Builder } from '../../../../src/core/builder/index.ts';
import type { AllocationService } from '../service.ts';
import { allocationType } from './allocation.ts';
import { allocationMutations } from './mutations.ts';
import { allocationQueries } from './queries.ts';

/** Budgets, plans and campaigns in the API. */
export const allocationSchema = (service: AllocationService) => (builder: Builder) => {
  const types = allocationType(builder, service);
  allocationQueries(builder, service, types);
  allocationMutations(builder, service, types.Allocation);
};
