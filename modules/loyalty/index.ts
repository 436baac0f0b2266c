import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import type { ValuePort } from '../value/contract.ts';
import { engagement } from './engagement/index.ts';
import { loyaltyEvents } from './events.ts';
import { loyaltyHandlers } from './handlers.ts';
import { loyaltyJobs } from './jobs.ts';
import { programmeJobs } from './programme/jobs.ts';
import { readProgramme } from './programme/programme.ts';
import { loyaltyReport } from './report/index.ts';
import { rewards } from './rewards/index.ts';
import { loyaltySchema } from './schema.ts';
import { createLoyaltyService } from './service.ts';
import { loyaltySettings } from './settings.ts';
import { loyaltyStanding, type StandingPorts } from './standing/index.ts';

/** What others tell `loyalty`. */
type LoyaltyPorts = Omit<StandingPorts, 'members'> & { readonly value: Pick<ValuePort, 'rfmSegmentsOf'> };

/** Points in a ledger, tiers, the rules by which points are earned, and how loyal customers are. Its service is a `LoyaltyPort`. */
export function loyalty(infra: Infrastructure, ports: LoyaltyPorts) {
  const { database, settings, clock, logger } = infra;
  const { customers } = ports;
  const service = createLoyaltyService(infra, customers, ports.value);
  const standing = loyaltyStanding(infra, { ...ports, members: (ids) => service.members(ids) });
  const report = loyaltyReport(infra, { customers, programme: () => service.programme() });
  const lifecycle = { clock, customers, programme: () => readProgramme(settings) };
  const earning = { database, logger, customers, programme: service.program, post: service.post };
  const exchange = rewards(infra, { customers, ledger: { post: service.post, membership: lifecycle } });
  const recognition = engagement(infra, { customers, post: service.post });
  const module = defineModule({
    name: 'loyalty',
    service: { ...service, rewards: exchange.service },
    settings: [
      ...loyaltySettings,
      ...exchange.settings,
      ...recognition.settings,
      ...standing.settings,
      ...report.settings,
    ],
    events: [...loyaltyEvents, ...exchange.events, ...recognition.events, ...standing.events],
    scopes: [
      {
        name: 'loyalty:read',
        description: 'Read the loyalty programme, accounts, ledger entries, scores and journeys.',
      },
      {
        name: 'loyalty:award',
        description:
          'Enrol customers; award, adjust and reverse points; confirm and void what waits; invite and thank ambassadors.',
      },
      ...exchange.scopes,
      ...recognition.scopes,
    ],
    handlers: [
      ...loyaltyHandlers({ service, settings, lifecycle, logger }),
      ...exchange.handlers,
      ...recognition.handlers,
      ...standing.handlers,
    ],
    jobs: [
      ...loyaltyJobs(service),
      ...programmeJobs(service, earning),
      ...exchange.jobs,
      ...recognition.jobs,
      ...standing.jobs,
    ],
    schema: (builder) => {
      const { account, tiers } = loyaltySchema(service)(builder);
      exchange.schema(builder, tiers, account);
      recognition.schema(builder, account);
      standing.schema(builder, account);
      report.schema(builder, tiers);
    },
  });
  return { ...module, standing: standing.service, report: report.service };
}
