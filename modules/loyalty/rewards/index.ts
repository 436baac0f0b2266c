import type { ScopeDefinition } from '../../../src/core/access/principal.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import { rewardEvents } from './events.ts';
import { rewardHandlers } from './handlers.ts';
import { rewardJobs } from './jobs.ts';
import { createRewardLedger, type LedgerWrites } from './ledger.ts';
import { rewardsSchema } from './schema.ts';
import { createRewardsService } from './service.ts';
import { EXPIRED_REDEMPTIONS } from './settings.ts';

/** Rewards: a catalogue, and what customers exchange their points for. */
export function rewards(
  infra: Infrastructure,
  ports: { readonly customers: CustomerPort; readonly ledger: LedgerWrites },
) {
  const { customers } = ports;
  const ledger = createRewardLedger(ports.ledger);
  const service = createRewardsService({ ...infra, customers, ledger });
  return {
    service,
    settings: [EXPIRED_REDEMPTIONS],
    events: rewardEvents,
    scopes: [
      { name: 'loyalty:catalogue', description: 'Create, change and archive rewards.' },
      {
        name: 'loyalty:redeem',
        description: 'Spend points of customers, set them aside, exchange them for rewards; see voucher codes.',
      },
    ] as const satisfies readonly ScopeDefinition[],
    handlers: rewardHandlers({ ...infra, customers }),
    jobs: rewardJobs(service),
    schema: rewardsSchema(service),
  };
}
