import type { Builder } from '../../../src/core/builder/index.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import type { AccountTypes } from '../ledger/schema/account.ts';
import { accountsOf } from '../ledger/service-membership.ts';
import { AUTO_ENROL, TIERS } from '../settings.ts';
import { engagementEvents } from './events.ts';
import { engagementHandlers } from './handlers.ts';
import { engagementJobs } from './jobs.ts';
import type { EngagementPorts } from './ports.ts';
import { engagementSchema } from './schema.ts';
import { createEngagementService } from './service.ts';
import { engagementSettings } from './settings.ts';

/**
 * What members are recognised for: badges, milestones, streaks, challenges, a leaderboard, anniversaries and referrals.
 * Everything follows from facts; points go through the ledger. What was given is not taken back when the fact is undone
 * (an order returned, an entry reversed): counts and progress keep it, and badges stay.
 */
export function engagement(
  infra: Infrastructure,
  { customers, post }: { readonly customers: CustomerPort; readonly post: EngagementPorts['post'] },
) {
  const { clock, settings } = infra;
  const ports: EngagementPorts = {
    ...infra,
    customers,
    post,
    async join(tx, call, customerIds) {
      const options = { join: await settings.get(AUTO_ENROL), tiers: await settings.get(TIERS) };
      const found = await accountsOf(tx, { clock, customers }, call, [...customerIds].sort(), options);
      return new Set([...found].flatMap(([id, account]) => (account instanceof Error ? [] : [id])));
    },
  };
  const service = createEngagementService(ports);
  return {
    settings: engagementSettings,
    events: engagementEvents,
    scopes: [
      {
        name: 'loyalty:engage',
        description: 'Join challenges and the leaderboard, make referral codes and attribute referrals.',
      },
    ] as const,
    handlers: engagementHandlers(ports),
    jobs: engagementJobs(ports),
    schema: (builder: Builder, account: AccountTypes): void => engagementSchema(builder, service, account),
  };
}
