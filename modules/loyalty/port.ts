import type { Database } from '../../src/core/database/index.ts';
import type { Settings } from '../../src/core/settings/index.ts';
import type { LoyaltyPort } from './contract.ts';
import { countTiers, membersByCustomers } from './ledger/queries-reads.ts';
import { TIERS } from './settings.ts';

/** What the module answers to others. */
export function createLoyaltyPort(database: Database, settings: Settings): LoyaltyPort {
  return {
    async members(customerIds, within = database) {
      const tiers = await settings.get(TIERS);
      const nameOf = new Map(tiers.map((tier) => [tier.key, tier.name]));
      const rows = await membersByCustomers(within, customerIds);
      return rows.map((row) => ({ ...row, tierName: nameOf.get(row.tier) ?? row.tier }));
    },
    tiers: () => settings.get(TIERS),
    async programme() {
      const tiers = await settings.get(TIERS);
      const counts = new Map((await countTiers(database)).map((count) => [count.tier, count]));
      const byTier = tiers.map(({ key, name }) => ({ tier: key, name, members: counts.get(key)?.members ?? 0 }));
      const members = byTier.reduce((sum, tier) => sum + tier.members, 0);
      const active = [...counts.values()].reduce((sum, count) => sum + count.active, 0);
      const outstandingPoints = [...counts.values()].reduce((sum, count) => sum + Number(count.outstanding), 0);
      return { members, participation: members === 0 ? null : active / members, outstandingPoints, byTier };
    },
  };
}
