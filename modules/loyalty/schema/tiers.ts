import DataLoader from 'dataloader';
import { type Builder, type Context, perOperation } from '../../../src/core/builder/index.ts';
import type { NextTier, Tier, TierChange, TierKey } from '../domain/tiers.ts';
import type { LoyaltyService } from '../service.ts';

/** Tiers are kept in memory. */
export const AT_HAND = { field: 0 };

/** An account, as far as its tier is concerned. */
interface Holder {
  readonly id: string;
  readonly tierKey: TierKey;
  readonly earned: number;
}

/** Tiers as the API shows them. */
export function tierTypes(builder: Builder, service: LoyaltyService) {
  const all = perOperation(() => service.tiersNow());
  const byKey = (context: Context, key: TierKey): Tier => all(context).find((tier) => tier.key === key) as Tier;

  const standings = perOperation(() => new DataLoader(service.tierStandings));
  const past = perOperation(
    () =>
      new DataLoader(service.tiersAsOf, {
        cacheKeyFn: ({ accountId, asOf }: { accountId: string; asOf: Date }) => `${accountId} ${asOf.getTime()}`,
      }),
  );
  /** The tier held by an account, now or as it was known at an instant. */
  const heldBy = async (context: Context, account: Holder, asOf: Date | null | undefined): Promise<Tier> => {
    if (asOf === null || asOf === undefined) return byKey(context, account.tierKey);
    return byKey(context, await past(context).load({ accountId: account.id, asOf }));
  };
  const nextOf = async (context: Context, account: Holder): Promise<NextTier | null> => {
    const next = service.nextTierNow(account.tierKey, account.earned);
    if (next !== undefined) return next;
    return (await standings(context).load(account.id))?.next ?? null;
  };

  const Key = builder.enumType('LoyaltyTierKey', {
    description: 'The tiers, lowest first. From how many points each is held is a setting.',
    values: {
      BRONZE: { description: 'Where everybody begins.' },
      SILVER: { description: 'From 1,000 points earned, unless the setting says otherwise.' },
      GOLD: { description: 'From 2,500 points earned, unless the setting says otherwise.' },
      PLATINUM: { description: 'From 5,000 points earned, unless the setting says otherwise.' },
    } as const,
  });
  const Direction = builder.enumType('TierDirection', {
    description: 'Which way a tier changed.',
    values: {
      UP: { description: 'To a higher tier.' },
      DOWN: { description: 'To a lower tier: earnings were taken back, or a grace period was over.' },
    } as const,
  });
  const Tier = builder.objectRef<Tier>('LoyaltyTier').implement({
    description: 'A tier of the loyalty programme.',
    fields: (t) => ({
      key: t.field({ type: Key, description: 'Which one.', resolve: (tier) => tier.key }),
      name: t.exposeString('name', { description: 'What the business calls it.' }),
      from: t.expose('from', {
        type: 'SafeInt',
        description: 'Points earned from which it is held; which count says the setting loyalty.tierQualification.',
      }),
      benefits: t.stringList({ description: 'What its members get.', resolve: (tier) => [...tier.benefits] }),
    }),
  });
  const Next = builder.objectRef<NextTier>('NextTier').implement({
    description: 'The tier above the one held.',
    fields: (t) => ({
      name: t.string({ description: 'What the business calls it.', resolve: (next) => next.tier.name }),
      tier: t.field({ type: Tier, description: 'The tier itself.', resolve: (next) => next.tier }),
      pointsToGo: t.expose('pointsToGo', {
        type: 'SafeInt',
        description: 'Points still to earn for it; 0 when there are enough and the next review has yet to say so.',
      }),
    }),
  });
  const Change = builder.objectRef<TierChange>('TierChange').implement({
    description: 'A move from one tier to another.',
    fields: (t) => ({
      from: t.field({
        type: Tier,
        complexity: AT_HAND,
        description: 'The tier before.',
        resolve: (change, _args, context) => byKey(context, change.from),
      }),
      to: t.field({
        type: Tier,
        complexity: AT_HAND,
        description: 'The tier now.',
        resolve: (change, _args, context) => byKey(context, change.to),
      }),
      direction: t.field({ type: Direction, description: 'Up or down.', resolve: (change) => change.direction }),
    }),
  });
  return { Key, Direction, Tier, NextTier: Next, TierChange: Change, byKey, heldBy, nextOf, standings };
}

export type TierTypes = ReturnType<typeof tierTypes>;
