import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import type { CustomerPort } from '../customers/contract.ts';
import type { ValuePort } from '../value/contract.ts';
import { engagement } from './engagement/index.ts';
import { loyaltyEvents } from './events.ts';
import { loyaltyHandlers } from './handlers.ts';
import { loyaltyJobs } from './jobs.ts';
import { programmeJobs } from './programme/jobs.ts';
import { readProgramme } from './programme/programme.ts';
import { rewards } from './rewards/index.ts';
import { loyaltySchema } from './schema.ts';
import { createLoyaltyService } from './service.ts';
import { loyaltySettings } from './settings.ts';

/** Points in a ledger, tiers, and the rules by which points are earned. Its service is a `LoyaltyPort`. */
export function loyalty(
  infra: Infrastructure,
  ports: { readonly customers: CustomerPort; readonly value: Pick<ValuePort, 'rfmSegmentsOf'> },
) {
  const { database, settings, clock, logger } = infra;
  const { customers } = ports;
  const service = createLoyaltyService(infra, customers, ports.value);
  const lifecycle = { clock, customers, programme: () => readProgramme(settings) };
  const earning = { database, logger, customers, programme: service.program, post: service.post };
  const exchange = rewards(infra, { customers, ledger: { post: service.post, membership: lifecycle } });
  const recognition = engagement(infra, { customers, post: service.post });
  return defineModule({
    name: 'loyalty',
    service: { ...service, rewards: exchange.service },
    settings: [...loyaltySettings, ...exchange.settings, ...recognition.settings],
    events: [...loyaltyEvents, ...exchange.events, ...recognition.events],
    scopes: [
      { name: 'loyalty:read', description: 'Read the loyalty programme, accounts and ledger entries.' },
      {
        name: 'loyalty:award',
        description: 'Enrol customers; award, adjust and reverse points; confirm and void what waits.',
      },
      ...exchange.scopes,
      ...recognition.scopes,
    ],
    handlers: [
      ...loyaltyHandlers({ service, settings, lifecycle, logger }),
      ...exchange.handlers,
      ...recognition.handlers,
    ],
    jobs: [...loyaltyJobs(service), ...programmeJobs(service, earning), ...exchange.jobs, ...recognition.jobs],
    schema: loyaltySchema(service, exchange.schema, recognition.service),
  });
}
