import { expect } from 'vitest';
import { loyaltyEvents } from '../../../modules/loyalty/events.ts';
import type { AwardInput, Posted } from '../../../modules/loyalty/ledger/commands.ts';
import { POINTS_EXPIRY } from '../../../modules/loyalty/ledger/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { newId } from '../../../src/core/ids.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty, plantCustomers, START } from '../world.ts';

export const DAY_MS = 86_400_000;
const call = systemCall('test');

/** A business whose points last a year, to the end of the day, where the clocks change. */
export async function openLedger(url: string): Promise<LoyaltyWorld> {
  const world = await openLoyalty(url);
  await world.settings.change(call, BUSINESS.key, { ...BUSINESS.default, timeZone: 'Europe/London' });
  await world.settings.change(call, POINTS_EXPIRY.key, { months: 12, at: 'END_OF_DAY' });
  return world;
}

/** The end of a test: everything holds, and what it leaves is no longer due in the next. */
export async function closeDay(world: LoyaltyWorld): Promise<void> {
  world.clock.advance(3_650 * DAY_MS);
  await world.service.expireLots(call);
  expect(await brokenInvariants(world.database)).toEqual([]);
  world.clock.set(START);
}

/** A customer, and what tests say about one. */
export async function memberOf(world: LoyaltyWorld) {
  const [customerId] = (await plantCustomers(world.database, 1)) as [string];
  const { service } = world;
  const key = () => ({ idempotencyKey: newId() });
  const facts = async () => (await service.members([customerId]))[0];
  return {
    customerId,
    award: (points: number, more: Partial<AwardInput> = {}) =>
      service.awardPoints(call, { ...key(), customerId, points, ...more }),
    redeem: (points: number) => service.redeemPoints(call, { ...key(), customerId, points }),
    hold: (points: number, days = 1) =>
      service.holdPoints(call, {
        ...key(),
        customerId,
        points,
        expiresAt: new Date(world.clock.now().getTime() + days * DAY_MS),
      }),
    confirm: ({ entry }: Posted) => service.confirmPoints(call, { ...key(), entryId: entry.id }),
    giveBack: ({ entry }: Posted) => service.voidPoints(call, { ...key(), entryId: entry.id }),
    reverse: ({ entry }: Posted) => service.reversePoints(call, { ...key(), entryId: entry.id }),
    available: async () => (await facts())?.available,
    /** What is left of each lot, the oldest first. */
    lots: async () =>
      (
        await world.database.query<{ points: number }>(
          `select l.points from loyalty_lot l join loyalty_account a on a.id = l.account_id
           where a.customer_id = $1 order by l.earned_at, l.entry_id`,
          [customerId],
        )
      ).map(({ points }) => points),
    events: async () =>
      (
        await world.database.query<{ type: string; payload: Record<string, unknown> }>(
          'select type, payload from outbox_event where customer_id = $1 order by seq',
          [customerId],
        )
      ).map((event) => {
        expect(loyaltyEvents.find(({ type }) => type === event.type)?.payload.safeParse(event.payload).error).toBe(
          undefined,
        );
        return event.type.replace('loyalty.', '');
      }),
    expiring: async () =>
      (await service.expiringNext([(await facts()) === undefined ? '' : await accountOf(world, customerId)]))[0],
  };
}

export async function accountOf(world: LoyaltyWorld, customerId: string): Promise<string> {
  const rows = await world.database.query<{ id: string }>('select id from loyalty_account where customer_id = $1', [
    customerId,
  ]);
  return rows[0]?.id as string;
}
