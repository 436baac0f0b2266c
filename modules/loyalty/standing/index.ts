import type { Infrastructure } from '../../../src/core/module.ts';
import { standingEvents } from './events.ts';
import { standingHandlers } from './handlers.ts';
import { standingJobs } from './jobs.ts';
import { standingSchema } from './schema/index.ts';
import { createStandingService } from './service.ts';
import type { StandingPorts } from './service-facts.ts';
import { standingSettings } from './settings.ts';

export type { StandingPorts } from './service-facts.ts';

/** How loyal customers are and how far they have come, as the table of contents of `loyalty` lists it. */
export function loyaltyStanding(infra: Infrastructure, ports: StandingPorts) {
  const service = createStandingService(infra, ports);
  return {
    service,
    settings: standingSettings,
    events: standingEvents,
    handlers: standingHandlers,
    jobs: standingJobs(service),
    schema: standingSchema(service),
  };
}
