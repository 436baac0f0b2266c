import type { Builder } from '../../../src/core/builder/index.ts';
import type { AccountTypes } from '../ledger/schema/account.ts';
import { memberTypes } from './schema/account.ts';
import { definitionTypes } from './schema/definitions.ts';
import { leaderboardSchema } from './schema/leaderboard.ts';
import { engagementMutations } from './schema/mutations.ts';
import { engagementSubscriptions } from './schema/subscriptions.ts';
import type { EngagementService } from './service.ts';

/** Everything engagement adds to the API. */
export function engagementSchema(builder: Builder, service: EngagementService, account: AccountTypes): void {
  const definitions = definitionTypes(builder, service);
  const members = memberTypes(builder, service, definitions, account, service.timeZone);
  leaderboardSchema(builder, service, members);
  engagementMutations(builder, service, members);
  engagementSubscriptions(builder, definitions);
}
