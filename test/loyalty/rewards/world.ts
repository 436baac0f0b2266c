import type { RandomBytes } from '../../../modules/loyalty/rewards/domain/voucher.ts';
import { createRewardLedger } from '../../../modules/loyalty/rewards/ledger.ts';
import { createRewardsService } from '../../../modules/loyalty/rewards/service.ts';
import type { CreateRewardInput } from '../../../modules/loyalty/rewards/service-catalogue.ts';
import { EXPIRED_REDEMPTIONS } from '../../../modules/loyalty/rewards/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import type { Database } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { openLoyalty, plantCustomers } from '../world.ts';

/** Everything that must hold of redemptions, whatever happened to them; empty when it does. */
export function brokenRedemptions(database: Database): Promise<{ rule: string; id: string }[]> {
  return database.query(`
    with told as (
      select payload ->> 'redemptionId' as redemption, array_agg(type order by seq) as types
      from outbox_event where payload ? 'redemptionId' group by 1
    )
    select 'a redemption has the entry that holds its points' as rule, x.id::text from loyalty_redemption x
      left join loyalty_entry e on e.id = x.entry_id
      where (e.phase, e.held, e.source, e.source_id) is distinct from ('PENDING', x.points, 'REWARD', x.id)
    union all
    select 'points are held for a redemption', e.id::text from loyalty_entry e
      where e.phase = 'PENDING' and e.source = 'REWARD'
        and not exists (select from loyalty_redemption x where x.entry_id = e.id)
    union all
    select 'each step has its event', x.id::text from loyalty_redemption x left join told t on t.redemption = x.id::text
      where t.types is distinct from array['loyalty.rewardRedeemed'] || case x.state
        when 'FULFILLED' then array['loyalty.redemptionFulfilled'] when 'CANCELLED' then array['loyalty.redemptionCancelled']
        when 'EXPIRED' then array['loyalty.redemptionExpired'] else '{}' end
    union all
    select 'held points are taken or given back once, as the redemption says', x.id::text from loyalty_redemption x
      where (select array_agg(r.phase) from loyalty_entry r where r.settles = x.entry_id)
            is distinct from case x.points_state when 'TAKEN' then array['CONFIRMED'] when 'RETURNED' then array['VOIDED'] end
    union all
    select 'each kept answer has its redemption', k.key from idempotency_key k
      where k.scope = 'loyalty.redemptions'
        and not exists (select from loyalty_redemption x where x.id::text = k.answer ->> 'redemptionId')`);
}

/** The loyalty service with its rewards on a database, with codes that a seed decides. */
export async function openRewards(url: string, options: { readonly seed?: number; readonly now?: Date } = {}) {
  const world = await openLoyalty(url);
  world.settings.declare([EXPIRED_REDEMPTIONS]);
  if (options.now !== undefined) world.clock.set(options.now);
  const { database, settings, clock, customers } = world;
  const rewards = createRewardsService({
    database,
    settings,
    clock,
    systemClock: clock,
    customers,
    ledger: createRewardLedger({ post: world.service.post, membership: { clock, customers } }),
    ...(options.seed === undefined ? {} : { random: seededBytes(options.seed) }),
  });
  return { ...world, rewards };
}

export type RewardsWorld = Awaited<ReturnType<typeof openRewards>>;

/** Bytes that a seed decides. */
export function seededBytes(seed: number): RandomBytes {
  let state = seed >>> 0;
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      // Numerical Recipes' linear congruential generator; its high bits are the random ones.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
}

const call = systemCall('test');

/** Customers who hold so many points each. */
export async function plantMembers(world: RewardsWorld, count: number, points: number): Promise<string[]> {
  const customers = await plantCustomers(world.database, count);
  const given = await world.service.awardPointsBatch(
    call,
    customers.map((customerId) => ({ idempotencyKey: newId(), customerId, points })),
  );
  const refused = given.find((answer) => answer instanceof DomainError);
  if (refused !== undefined) throw refused;
  return customers;
}

/** The id of a new reward. */
export async function plantReward(world: RewardsWorld, terms: Partial<CreateRewardInput> = {}): Promise<string> {
  const input = { idempotencyKey: newId(), name: 'A reward', kind: 'VOUCHER', cost: 10, ...terms } as const;
  return (await world.rewards.createReward(call, input)).id;
}

/** How many of a reward are left, and how many redemptions of it there are by state. */
export async function countsOf(world: RewardsWorld, rewardId: string): Promise<Record<string, number | null>> {
  const [reward] = await world.rewards.rewardsByIds([rewardId]);
  const rows = await world.database.query<{ state: string; quantity: number }>(
    'select state, sum(quantity)::int as quantity from loyalty_redemption where reward_id = $1 group by state',
    [rewardId],
  );
  return { stock: reward?.stock ?? null, ...Object.fromEntries(rows.map((row) => [row.state, row.quantity])) };
}
