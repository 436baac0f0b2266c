import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_TIERS } from '../../../modules/loyalty/defaults.ts';
import { mergeAccounts } from '../../../modules/loyalty/ledger/service-lifecycle.ts';
import { TIER_QUALIFICATION } from '../../../modules/loyalty/programme/settings.ts';
import { TIERS } from '../../../modules/loyalty/settings.ts';
import { newId } from '../../../src/core/ids.ts';
import { plantCustomers } from '../world.ts';
import { call, openProgramme, type Programme, tiersFrom } from './world.ts';

let world: Programme;

beforeAll(async () => {
  world = await openProgramme();
});
afterAll(async () => {
  expect(await world.close({ windowed: true })).toEqual([]);
});
beforeEach(async () => {
  await world.change(TIERS, DEFAULT_TIERS);
  await world.change(TIER_QUALIFICATION, TIER_QUALIFICATION.default);
  await world.timeZone('UTC');
});

const rolling = (months: number, graceDays = 30) =>
  world.change(TIER_QUALIFICATION, { window: { kind: 'ROLLING_MONTHS', months }, graceDays });

describe('a rolling window', () => {
  test('raises at once, warns when a month leaves the window, and lowers after the grace period', async () => {
    await rolling(3, 10);
    world.at('2026-01-15T12:00:00Z');
    const customerId = await world.customer();
    const { tierChange } = await world.award(customerId, { points: 2_600 });
    expect(tierChange).toMatchObject({ from: 'BRONZE', to: 'GOLD' });
    world.at('2026-03-31T23:59:59Z');
    await world.review();
    expect(await world.standing(customerId)).toEqual({
      counting: 2_600,
      pointsToKeep: 0,
      downgradeAt: null,
      next: 'PLATINUM 2400',
    });
    await world.award(customerId, { points: 400 });
    // January is no longer among the three months.
    world.at('2026-04-01T00:00:00Z');
    expect(await world.review()).toMatchObject({ warned: 1, lowered: 0 });
    expect(await world.tier(customerId)).toBe('GOLD');
    expect(await world.standing(customerId)).toEqual({
      counting: 400,
      pointsToKeep: 2_100,
      downgradeAt: new Date('2026-04-11T00:00:00Z'),
      next: 'PLATINUM 4600',
    });
    const [warning] = await world.events('loyalty.tierAtRisk');
    expect(warning).toMatchObject({
      customerId,
      payload: {
        tier: 'GOLD',
        to: 'BRONZE',
        counting: 400,
        pointsToKeep: 2_100,
        downgradeAt: '2026-04-11T00:00:00.000Z',
      },
    });
    world.at('2026-04-10T23:59:59Z');
    expect(await world.review()).toMatchObject({ warned: 0, lowered: 0 });
    // Earning on does not lower anybody in grace, and the tier above is that above the one held.
    expect((await world.award(customerId, { points: 700 })).tierChange).toBeNull();
    world.at('2026-04-11T00:00:00Z');
    expect(await world.review()).toMatchObject({ lowered: 1 });
    expect(await world.tier(customerId)).toBe('SILVER');
    expect(await world.review()).toMatchObject({ warned: 0, lowered: 0, raised: 0 });
    expect(await world.history(customerId)).toEqual([
      { from: 'BRONZE', to: 'GOLD', at: new Date('2026-01-15T12:00:00Z'), cause: 'ENTRY' },
      { from: 'GOLD', to: 'SILVER', at: new Date('2026-04-11T00:00:00Z'), cause: 'REVIEW' },
    ]);
    const accountId = await world.accountOf(customerId);
    const at = (text: string) => ({ accountId, asOf: new Date(text) });
    expect(
      await world.service.tiersAsOf([
        at('2026-01-15T11:59:59Z'),
        at('2026-01-15T12:00:00Z'),
        at('2026-04-10T23:59:59Z'),
        at('2026-04-11T00:00:00Z'),
      ]),
    ).toEqual(['BRONZE', 'GOLD', 'GOLD', 'SILVER']);
    const changes = (await world.events('loyalty.tierChanged')).filter((event) => event.customerId === customerId);
    expect(
      changes.map(({ payload }) => [payload.to, payload.direction, payload.cause, payload.entryId === null]),
    ).toEqual([
      ['GOLD', 'UP', 'ENTRY', false],
      ['SILVER', 'DOWN', 'REVIEW', true],
    ]);
  });

  test('forgives who earns enough within the grace period', async () => {
    await rolling(1, 10);
    world.at('2026-05-31T12:00:00Z');
    const customerId = await world.customer();
    await world.award(customerId, { points: 1_000 });
    world.at('2026-06-01T04:20:00Z');
    await world.review();
    expect(await world.standing(customerId)).toMatchObject({ downgradeAt: new Date('2026-06-11T04:20:00Z') });
    await world.award(customerId, { points: 1_000 });
    expect(await world.standing(customerId)).toMatchObject({ pointsToKeep: 0, downgradeAt: null });
    world.at('2026-06-12T04:20:00Z');
    await world.review();
    expect(await world.tier(customerId)).toBe('SILVER');
    // The next warning has a grace period of its own.
    world.at('2026-07-01T04:20:00Z');
    await world.review();
    expect(await world.standing(customerId)).toMatchObject({ downgradeAt: new Date('2026-07-11T04:20:00Z') });
  });

  test('takes back from the month in which it was earned, and at once', async () => {
    await rolling(2);
    world.at('2026-07-10T12:00:00Z');
    const customerId = await world.customer();
    const { entry } = await world.award(customerId, { points: 1_500 });
    world.at('2026-08-10T12:00:00Z');
    await world.award(customerId, { points: 900 });
    const taken = await world.service.reversePoints(call, { idempotencyKey: newId(), entryId: entry.id });
    expect(taken.tierChange).toMatchObject({ from: 'SILVER', to: 'BRONZE', direction: 'DOWN' });
    expect(await world.standing(customerId)).toMatchObject({ counting: 900, next: 'SILVER 100' });
    // What was taken back in August was earned in July: September has August's points whole.
    world.at('2026-09-10T12:00:00Z');
    expect(await world.standing(customerId)).toMatchObject({ counting: 900 });
  });

  test('counts what was earned when it was earned, however late it is told', async () => {
    await rolling(1);
    world.at('2026-08-10T12:00:00Z');
    const customerId = await world.customer();
    const late = await world.award(customerId, { points: 1_200, effectiveAt: new Date('2026-07-31T23:59:59Z') });
    expect(late.tierChange).toBeNull();
    expect(await world.standing(customerId)).toMatchObject({ counting: 0, next: 'SILVER 1000' });
  });

  test('is right for what was earned before it came into force, in any time zone', async () => {
    world.at('2026-02-28T23:30:00Z');
    const customerId = await world.customer();
    const { entry } = await world.award(customerId, { points: 1_000 });
    await world.award(customerId, { points: 30 });
    world.at('2026-03-10T12:00:00Z');
    await world.award(customerId, { points: 5 });
    await world.service.adjustPoints(call, { idempotencyKey: newId(), customerId, points: 70, reason: 'not earned' });
    await rolling(1);
    expect(await world.standing(customerId)).toMatchObject({ counting: 5, pointsToKeep: 995 });
    // In Tokyo it was March already.
    await world.timeZone('Asia/Tokyo');
    expect(await world.standing(customerId)).toMatchObject({ counting: 1_035, pointsToKeep: 0 });
    // Back to all that was ever earned: nothing is counted meanwhile, and what was missed is counted afterwards.
    await world.change(TIER_QUALIFICATION, TIER_QUALIFICATION.default);
    await world.award(customerId, { points: 40 });
    await world.service.reversePoints(call, { idempotencyKey: newId(), entryId: entry.id });
    expect(await world.standing(customerId)).toMatchObject({ counting: 75 });
    await rolling(1);
    expect(await world.standing(customerId)).toMatchObject({ counting: 75 });
    await world.timeZone('UTC');
    expect(await world.standing(customerId)).toMatchObject({ counting: 45 });
    await world.award(customerId, { points: 1_000 });
    expect(await world.standing(customerId)).toMatchObject({ counting: 1_045 });
  });

  test('takes over what a merged customer earned, in the months it was earned in', async () => {
    world.at('2026-01-10T12:00:00Z');
    const [first, second, third] = (await plantCustomers(world.database, 3)) as [string, string, string];
    await world.award(first, { points: 1_100 });
    world.at('2026-03-10T12:00:00Z');
    for (const customerId of [second, third]) await world.award(customerId, { points: 600 });
    await rolling(1);
    const ports = { clock: world.clock, customers: world.customers, programme: world.service.program };
    const merge = (fromId: string, intoId: string) =>
      world.database.transaction((tx) => mergeAccounts(tx, ports, call, { fromId, intoId }));
    await merge(first, second);
    // The better tier goes along, though what it rests on counts no longer.
    expect(await world.tier(second)).toBe('SILVER');
    expect(await world.standing(second)).toMatchObject({ counting: 600 });
    await merge(second, third);
    expect(await world.standing(third)).toMatchObject({ counting: 1_200 });
    world.at('2026-01-10T12:00:00Z');
    expect(await world.standing(third)).toMatchObject({ counting: 1_100 });
  });
});

describe('a calendar year', () => {
  test('upholds a tier until the next one ends, leap days and clock changes included', async () => {
    await world.timeZone('Europe/London');
    await world.change(TIER_QUALIFICATION, { window: { kind: 'CALENDAR_YEAR' }, graceDays: 60 });
    world.at('2027-02-28T12:00:00Z');
    const customerId = await world.customer();
    await world.award(customerId, { points: 2_500 });
    // Half a year later, a leap year and its summer time: the points of 2027 uphold the tier through 2028.
    world.at('2028-02-29T23:59:59Z');
    await world.award(customerId, { points: 100 });
    await world.review();
    expect(await world.standing(customerId)).toEqual({
      counting: 100,
      pointsToKeep: 0,
      downgradeAt: null,
      next: 'PLATINUM 4900',
    });
    world.at('2028-12-31T23:59:59Z');
    await world.review();
    expect(await world.standing(customerId)).toMatchObject({ downgradeAt: null });
    // Sixty days from the first of January at noon, in London: no clock changes in between.
    world.at('2029-01-01T12:00:00Z');
    await world.review();
    expect(await world.standing(customerId)).toMatchObject({
      counting: 0,
      pointsToKeep: 2_500,
      downgradeAt: new Date('2029-03-02T12:00:00Z'),
    });
    world.at('2029-03-02T12:00:00Z');
    await world.review();
    expect(await world.tier(customerId)).toBe('BRONZE');
  });

  test('gives whole days of grace over a change of the clocks', async () => {
    await world.timeZone('Europe/London');
    await world.change(TIER_QUALIFICATION, { window: { kind: 'ROLLING_MONTHS', months: 1 }, graceDays: 30 });
    world.at('2026-02-10T12:00:00Z');
    const customerId = await world.customer();
    await world.award(customerId, { points: 1_000 });
    world.at('2026-03-01T04:20:00Z');
    await world.review();
    expect(await world.standing(customerId)).toMatchObject({ downgradeAt: new Date('2026-03-31T03:20:00Z') });
  });
});

describe('the review', () => {
  test('goes on where it was stopped, and does nothing twice', async () => {
    world.at('2026-10-05T12:00:00Z');
    const customers = await plantCustomers(world.database, 1_203);
    await world.service.awardPointsBatch(
      call,
      customers.map((customerId, index) => ({ idempotencyKey: newId(), customerId, points: index < 3 ? 2_000 : 500 })),
    );
    await world.change(TIERS, tiersFrom(500, 2_000, 5_000));
    const first = await world.service.reviewTiers(call, null, 1_000);
    expect(first.next).not.toBeNull();
    const second = await world.service.reviewTiers(call, first.next, 1_000_000);
    expect(second.next).toBeNull();
    expect(first.raised + second.raised).toBeGreaterThanOrEqual(1_203);
    const events = await world.events('loyalty.tierChanged');
    const again = await Promise.all([world.review(), world.review()]);
    expect(again.map(({ raised, lowered, warned }) => [raised, lowered, warned])).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(await world.events('loyalty.tierChanged')).toHaveLength(events.length);
    const members = await world.service.members(customers);
    expect(members.filter(({ tier }) => tier === 'GOLD')).toHaveLength(3);
    expect(members.filter(({ tier }) => tier === 'SILVER')).toHaveLength(1_200);
  });

  test('does what the dry run said, and the dry run does nothing', async () => {
    world.at('2026-10-05T12:00:00Z');
    await world.change(TIER_QUALIFICATION, { window: { kind: 'LIFETIME' }, graceDays: 0 });
    await world.review();
    const raised = await world.customer();
    const lowered = await world.customer();
    await world.award(raised, { points: 999 });
    await world.award(lowered, { points: 2_500 });
    const counts = async () =>
      Object.fromEntries((await world.service.programme()).byTier.map((t) => [t.tier, t.members]));
    const before = await counts();
    const tiers = tiersFrom(999, 3_000, 5_000);
    const foretold = await world.service.changeTiers(call, { tiers, dryRun: true, sample: 100 });
    expect(await counts()).toEqual(before);
    expect((await world.settings.get(TIERS))[1]?.from).toBe(1_000);
    expect(foretold.sample).toContainEqual({
      customerId: raised,
      from: 'BRONZE',
      to: 'SILVER',
      afterGrace: false,
      counting: 999,
    });
    expect(foretold.sample).toContainEqual(
      expect.objectContaining({ customerId: lowered, from: 'GOLD', to: 'SILVER', afterGrace: false }),
    );
    await world.service.changeTiers(call, { tiers, dryRun: false, sample: 0 });
    await world.review();
    const expected: Record<string, number> = { ...before };
    for (const { from, to, accounts } of foretold.moves) {
      expected[from] = (expected[from] ?? 0) - accounts;
      expected[to] = (expected[to] ?? 0) + accounts;
    }
    expect(await counts()).toEqual(expected);
    expect((await world.service.changeTiers(call, { dryRun: true, sample: 0 })).moves).toEqual([]);
  });

  test('warns before it lowers anybody because the tiers were changed', async () => {
    world.at('2026-10-05T12:00:00Z');
    await world.review();
    const customerId = await world.customer();
    await world.award(customerId, { points: 1_000 });
    const tiers = tiersFrom(1_001, 2_500, 5_000);
    const { moves } = await world.service.changeTiers(call, { tiers, dryRun: false, sample: 0 });
    expect(moves).toContainEqual(expect.objectContaining({ from: 'SILVER', to: 'BRONZE', afterGrace: true }));
    await world.review();
    expect(await world.standing(customerId)).toMatchObject({ pointsToKeep: 1, next: 'GOLD 1500' });
    expect(await world.tier(customerId)).toBe('SILVER');
    await world.award(customerId, { points: 1 });
    expect(await world.standing(customerId)).toMatchObject({ pointsToKeep: 0, downgradeAt: null });
  });
});
