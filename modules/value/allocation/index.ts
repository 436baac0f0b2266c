import type { Infrastructure } from '../../../src/core/module.ts';
import { allocationEvents } from './events.ts';
import { allocationHandlers } from './handlers.ts';
import { allocationJobs } from './jobs.ts';
import type { AllocationPorts } from './ports.ts';
import { allocationSchema } from './schema/index.ts';
import { createAllocationService } from './service.ts';
import { allocationSettings } from './settings.ts';

/** Who gets what to be kept, under a budget: a part of `value`, as the table of contents of the module lists it. */
export function valueAllocation(infra: Infrastructure, ports: AllocationPorts) {
  const service = createAllocationService(infra, ports);
  return {
    settings: allocationSettings,
    events: allocationEvents,
    handlers: allocationHandlers,
    jobs: allocationJobs(service),
    schema: allocationSchema(service),
  };
}
