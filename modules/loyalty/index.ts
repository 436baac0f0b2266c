import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import type { CustomerPort } from '../customers/contract.ts';
import { engagement } from './engagement/index.ts';
import { loyaltyEvents } from './events.ts';
import { loyaltyHandlers } from './handlers.ts';
import { loyaltyJobs } from './jobs.ts';
import { loyaltySchema } from './schema.ts';
import { createLoyaltyService } from './service.ts';
import { loyaltySettings, TIERS } from './settings.ts';

/** Points in a ledger, tiers, and the rules by which points are earned. Its service is a `LoyaltyPort`. */
export function loyalty(infra: Infrastructure, ports: { readonly customers: CustomerPort }) {
  const { settings, clock, logger } = infra;
  const { customers } = ports;
  const service = createLoyaltyService(infra, customers);
  const recognition = engagement(infra, { customers, post: service.post });
  const lifecycle = { clock, customers, tiers: () => settings.get(TIERS) };
  return defineModule({
    name: 'loyalty',
    service,
    settings: [...loyaltySettings, ...recognition.settings],
    events: [...loyaltyEvents, ...recognition.events],
    scopes: [
      { name: 'loyalty:read', description: 'Read the loyalty programme, accounts and ledger entries.' },
      {
        name: 'loyalty:award',
        description: 'Enrol customers; award, adjust and reverse points; confirm and void what waits.',
      },
      { name: 'loyalty:redeem', description: 'Spend points of customers and set them aside.' },
      ...recognition.scopes,
    ],
    handlers: [...loyaltyHandlers({ service, settings, lifecycle, logger }), ...recognition.handlers],
    jobs: [...loyaltyJobs(service), ...recognition.jobs],
    schema: loyaltySchema(service, recognition.service),
  });
}
