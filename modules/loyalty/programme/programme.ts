import { BUSINESS, type Settings } from '../../../src/core/settings/index.ts';
import type { EarningRule } from '../domain/rules.ts';
import type { Tier } from '../domain/tiers.ts';
import type { Expiry } from '../ledger/expiry.ts';
import { POINTS_EXPIRY, REVERSAL_OF_SPENT_POINTS } from '../ledger/settings.ts';
import { AUTO_ENROL, EARNING_RULES, TIERS } from '../settings.ts';
import type { Campaign, Stacking } from './domain/campaigns.ts';
import type { OrderPoints } from './domain/orders.ts';
import { CAMPAIGNS, ORDER_POINTS, TIER_QUALIFICATION, type TierQualification } from './settings.ts';

/** The programme in force, read once for a batch. */
export interface Programme {
  readonly tiers: readonly Tier[];
  readonly qualification: TierQualification;
  readonly rules: readonly EarningRule[];
  readonly orderPoints: OrderPoints;
  readonly campaigns: readonly Campaign[];
  readonly stacking: Stacking;
  readonly autoEnrol: boolean;
  readonly timeZone: string;
  readonly expiry: Expiry;
  readonly reversalOfSpent: 'DEBT' | 'REFUSE';
  /** Versions of the settings that entries name: 0 is the rule as it was shipped. */
  readonly versions: { readonly rules: number; readonly orders: number };
}

/** The programme as the settings have it now. */
export async function readProgramme(settings: Settings): Promise<Programme> {
  const { stacking, campaigns } = await settings.get(CAMPAIGNS);
  return {
    tiers: await settings.get(TIERS),
    qualification: await settings.get(TIER_QUALIFICATION),
    rules: await settings.get(EARNING_RULES),
    orderPoints: await settings.get(ORDER_POINTS),
    campaigns,
    stacking,
    autoEnrol: await settings.get(AUTO_ENROL),
    timeZone: (await settings.get(BUSINESS)).timeZone,
    expiry: await settings.get(POINTS_EXPIRY),
    reversalOfSpent: await settings.get(REVERSAL_OF_SPENT_POINTS),
    versions: { rules: settings.version(EARNING_RULES), orders: settings.version(ORDER_POINTS) },
  };
}
