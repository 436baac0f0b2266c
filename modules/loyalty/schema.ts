import type { Builder } from '../../src/core/builder/index.ts';
import { accountTypes } from './ledger/schema/account.ts';
import { enrolmentMutations, pointsMutations } from './ledger/schema/mutations.ts';
import { programSchema } from './schema/program.ts';
import { subscriptionSchema } from './schema/subscriptions.ts';
import { tierTypes } from './schema/tiers.ts';
import type { LoyaltyService } from './service.ts';

/** Everything the module adds to the API. */
export const loyaltySchema =
  (service: LoyaltyService) =>
  (builder: Builder): void => {
    const tiers = tierTypes(builder, service);
    const account = accountTypes(builder, service, tiers);
    pointsMutations(builder, service, tiers, account);
    enrolmentMutations(builder, service, account);
    programSchema(builder, service, tiers);
    subscriptionSchema(builder, tiers);
  };
