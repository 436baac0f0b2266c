import type { Builder } from '../../src/core/builder/index.ts';
import { type AccountTypes, accountTypes } from './ledger/schema/account.ts';
import { enrolmentMutations } from './ledger/schema/enrolment.ts';
import { ledgerErrors } from './ledger/schema/errors.ts';
import { pointsMutations } from './ledger/schema/mutations.ts';
import { payloads } from './ledger/schema/payload.ts';
import { spendingMutations } from './ledger/schema/spending.ts';
import { ledgerSubscriptions } from './ledger/schema/subscriptions.ts';
import { simulationSchema } from './programme/schema/simulation.ts';
import { standingSchema } from './programme/schema/standing.ts';
import { tierMutations } from './programme/schema/tiers.ts';
import { programSchema } from './schema/program.ts';
import { subscriptionSchema } from './schema/subscriptions.ts';
import { type TierTypes, tierTypes } from './schema/tiers.ts';
import type { LoyaltyService } from './service.ts';

/** What the programme and its ledger add to the API; returns the types that others of the module add fields to. */
export const loyaltySchema =
  (service: LoyaltyService) =>
  (builder: Builder): { readonly account: AccountTypes; readonly tiers: TierTypes } => {
    const tiers = tierTypes(builder, service);
    const account = accountTypes(builder, service, tiers);
    ledgerErrors(builder, tiers);
    const payload = payloads(builder, tiers, account);
    pointsMutations(builder, service, account, payload);
    spendingMutations(builder, service, account, payload);
    enrolmentMutations(builder, service, account);
    standingSchema(builder, service, tiers, account);
    const program = programSchema(builder, service, tiers);
    tierMutations(builder, service, tiers, program);
    simulationSchema(builder, service, tiers, program);
    subscriptionSchema(builder, tiers);
    ledgerSubscriptions(builder);
    return { account, tiers };
  };
