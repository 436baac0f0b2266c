import type { Builder } from '../../../src/core/builder/index.ts';
import type { AccountTypes } from '../ledger/schema/account.ts';
import type { TierTypes } from '../schema/tiers.ts';
import { catalogueMutations, catalogueTypes } from './schema/catalogue.ts';
import { redemptionMutations } from './schema/mutations.ts';
import { redemptionTypes } from './schema/redemptions.ts';
import { rewardSubscriptions } from './schema/subscriptions.ts';
import type { RewardsService } from './service.ts';

/** Everything that rewards add to the API. */
export const rewardsSchema =
  (service: RewardsService) =>
  (builder: Builder, tiers: TierTypes, account: AccountTypes): void => {
    const catalogue = catalogueTypes(builder, service, tiers);
    catalogueMutations(builder, service, tiers, catalogue);
    const redemptions = redemptionTypes(builder, service, catalogue, account);
    const types = { tiers, ...catalogue, ...redemptions, ...account };
    redemptionMutations(builder, service, types);
    rewardSubscriptions(builder, types);
  };
