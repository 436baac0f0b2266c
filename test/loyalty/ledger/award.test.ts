import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loyaltyEvents } from '../../../modules/loyalty/events.ts';
import type { AwardInput } from '../../../modules/loyalty/ledger/commands.ts';
import { systemCall } from '../../../src/core/call.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty, plantCustomers, refusal, START } from '../world.ts';

let created: TestDatabase;
let world: LoyaltyWorld;
const call = systemCall('test');

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLoyalty(created.url);
});
afterAll(async () => {
  expect(await brokenInvariants(world.database)).toEqual([]);
  await world.close();
  await created.drop();
});

async function newCustomer(): Promise<string> {
  const [id] = await plantCustomers(world.database, 1);
  return id as string;
}

/** Awards with a key of its own. */
const award = (customerId: string, input: Partial<AwardInput>) =>
  world.service.awardPoints(call, { idempotencyKey: newId(), customerId, ...input });

const eventsOf = (customerId: string) =>
  world.database.query<{ type: string; payload: Record<string, unknown> }>(
    'select type, payload from outbox_event where customer_id = $1 order by seq',
    [customerId],
  );

describe('an award', () => {
  test('is an entry, a balance, a tier and its events', async () => {
    const customerId = await newCustomer();
    const posted = await award(customerId, { points: 1_000, reason: '  welcome  ' });
    expect(posted).toMatchObject({
      entry: {
        number: 1,
        kind: 'EARN',
        points: 1_000,
        qualifying: 1_000,
        balanceAfter: 1_000,
        source: 'AWARD',
        reason: 'welcome',
        actor: 'system:test',
        effectiveAt: START,
        recordedAt: START,
      },
      account: { customerId, balance: 1_000, earned: 1_000, tier: 'SILVER', tierSince: START, joinedAt: START },
      tierChange: { from: 'BRONZE', to: 'SILVER', direction: 'UP' },
      replayed: false,
    });
    const { entry, account } = posted;
    expect(await eventsOf(customerId)).toEqual([
      { type: 'loyalty.customersEnrolled', payload: { count: 1, customerIds: [customerId] } },
      {
        type: 'loyalty.pointsAwarded',
        payload: {
          entryId: entry.id,
          accountId: account.id,
          points: 1_000,
          balance: 1_000,
          earned: 1_000,
          tier: 'SILVER',
          rule: null,
          source: 'AWARD',
          sourceId: null,
        },
      },
      {
        type: 'loyalty.tierChanged',
        payload: {
          entryId: entry.id,
          accountId: account.id,
          cause: 'ENTRY',
          from: 'BRONZE',
          to: 'SILVER',
          direction: 'UP',
          earned: 1_000,
          balance: 1_000,
        },
      },
    ]);
    for (const event of await eventsOf(customerId)) {
      const definition = loyaltyEvents.find(({ type }) => type === event.type);
      expect(definition?.payload.safeParse(event.payload).success).toBe(true);
    }
  });

  test.each([
    [999, 1, 'BRONZE', 'SILVER'],
    [2_499, 1, 'SILVER', 'GOLD'],
    [4_999, 1, 'GOLD', 'PLATINUM'],
  ])('reaches the next tier with the point after %i', async (before, points, lower, higher) => {
    const customerId = await newCustomer();
    expect((await award(customerId, { points: before })).account.tier).toBe(lower);
    const { account, tierChange } = await award(customerId, { points });
    expect(account.tier).toBe(higher);
    expect(tierChange).toEqual({ from: lower, to: higher, direction: 'UP' });
  });

  test('by a rule gives what the tier held is worth', async () => {
    const customerId = await newCustomer();
    expect((await award(customerId, { rule: 'referral_successful' })).entry).toMatchObject({
      points: 50,
      rule: 'referral_successful',
    });
    await award(customerId, { points: 2_450 });
    expect((await award(customerId, { rule: 'referral_successful', count: 2 })).entry.points).toBe(300);
  });

  test('of one batch sees what those before it did', async () => {
    const customerId = await newCustomer();
    const answers = await world.service.awardPointsBatch(call, [
      { idempotencyKey: newId(), customerId, rule: 'case_study' },
      { idempotencyKey: newId(), customerId, points: 1_000 },
      { idempotencyKey: newId(), customerId, rule: 'case_study' },
      { idempotencyKey: newId(), customerId, rule: 'monthly_login' },
      { idempotencyKey: newId(), customerId, rule: 'monthly_login' },
    ]);
    expect(answers.map((answer) => (answer instanceof DomainError ? answer.code : answer.account.balance))).toEqual([
      'LOYALTY_RULE_NOT_OPEN_TO_TIER',
      1_000,
      1_050,
      1_065,
      'LOYALTY_EARNING_CAP_REACHED',
    ]);
  });

  test('may be told of later, and counts in the period in which it was earned', async () => {
    const customerId = await newCustomer();
    const earlier = new Date('2026-10-05T08:00:00Z');
    const login = (effectiveAt?: Date) => award(customerId, { rule: 'monthly_login', effectiveAt });
    expect((await login(earlier)).entry).toMatchObject({ effectiveAt: earlier, recordedAt: START });
    await login();
    expect(await refusal(login())).toEqual({ code: 'LOYALTY_EARNING_CAP_REACHED', path: ['rule'] });
    expect(await refusal(login(new Date('2026-10-31T23:00:00Z')))).toMatchObject({
      code: 'LOYALTY_EARNING_CAP_REACHED',
    });
  });
});

describe('a repeated key', () => {
  test('gets the first answer, whatever happened since', async () => {
    const customerId = await newCustomer();
    const input = { idempotencyKey: newId(), customerId, points: 1_200 };
    const first = await world.service.awardPoints(call, input);
    await award(customerId, { points: 5_000 });
    expect(await world.service.awardPoints(call, input)).toEqual({ ...first, replayed: true });
    expect((await world.service.members([customerId]))[0]?.balance).toBe(6_200);
  });

  test('with another input is a conflict, and nothing is done', async () => {
    const customerId = await newCustomer();
    const idempotencyKey = newId();
    await world.service.awardPoints(call, { idempotencyKey, customerId, points: 10 });
    for (const other of [{ points: 11 }, { rule: 'feedback' }, { points: 10, reason: 'again' }]) {
      expect(await refusal(world.service.awardPoints(call, { idempotencyKey, customerId, ...other }))).toEqual({
        code: 'CORE_IDEMPOTENCY_CONFLICT',
        path: ['idempotencyKey'],
      });
    }
    const elsewhere = { idempotencyKey, customerId: await newCustomer(), points: 10 };
    expect(await refusal(world.service.awardPoints(call, elsewhere))).toMatchObject({
      code: 'CORE_IDEMPOTENCY_CONFLICT',
    });
    expect((await world.service.members([customerId]))[0]?.balance).toBe(10);
  });

  test('in one batch counts once', async () => {
    const customerId = await newCustomer();
    const input = { idempotencyKey: newId(), customerId, points: 7 };
    const answers = await world.service.awardPointsBatch(call, [input, input, { ...input, points: 8 }]);
    expect(answers.map((answer) => (answer instanceof DomainError ? answer.code : answer.replayed))).toEqual([
      false,
      true,
      'CORE_IDEMPOTENCY_CONFLICT',
    ]);
  });

  test('of a refused call may be used again', async () => {
    const customerId = await newCustomer();
    const input = { idempotencyKey: newId(), customerId, rule: 'case_study' };
    expect(await refusal(world.service.awardPoints(call, input))).toMatchObject({
      code: 'LOYALTY_RULE_NOT_OPEN_TO_TIER',
    });
    await award(customerId, { points: 1_000 });
    expect(await world.service.awardPoints(call, input)).toMatchObject({ entry: { points: 50 }, replayed: false });
  });
});

test('two processes that take turns build on what the other did, and on keys it saw', async () => {
  const customerId = await newCustomer();
  const there = await openLoyalty(created.url);
  const turns = Array.from({ length: 12 }, (_, turn) => ({ turn, idempotencyKey: newId() }));
  for (const { turn, idempotencyKey } of turns) {
    const [first, second] = turn % 2 === 0 ? [world, there] : [there, world];
    const input = { idempotencyKey, customerId, points: 100 };
    expect(await first.service.awardPoints(call, input)).toMatchObject({
      entry: { number: turn + 1, balanceAfter: (turn + 1) * 100 },
      replayed: false,
    });
    expect((await second.service.awardPoints(call, input)).replayed).toBe(true);
  }
  await there.close();
  expect((await world.service.members([customerId]))[0]).toMatchObject({ balance: 1_200, tier: 'SILVER' });
});

describe('an adjustment', () => {
  test('moves the balance and not the tier', async () => {
    const customerId = await newCustomer();
    const adjust = (points: number) =>
      world.service.adjustPoints(call, { idempotencyKey: newId(), customerId, points, reason: 'goodwill' });
    expect(await adjust(1_500)).toMatchObject({
      entry: { kind: 'ADJUST', qualifying: 0 },
      account: { balance: 1_500, earned: 0, tier: 'BRONZE' },
      tierChange: null,
    });
    expect((await adjust(-1_500)).account.balance).toBe(0);
    expect(await refusal(adjust(-1))).toEqual({ code: 'LOYALTY_INSUFFICIENT_POINTS', path: ['points'] });
  });
});

describe('a reversal', () => {
  const reverse = (entryId: string) => world.service.reversePoints(call, { idempotencyKey: newId(), entryId });

  test('takes points and tier back, once', async () => {
    const customerId = await newCustomer();
    const { entry } = await award(customerId, { points: 1_000 });
    const reversal = await reverse(entry.id);
    expect(reversal).toMatchObject({
      entry: { kind: 'REVERSE', points: -1_000, reverses: entry.id, balanceAfter: 0 },
      account: { balance: 0, earned: 0, tier: 'BRONZE' },
      tierChange: { from: 'SILVER', to: 'BRONZE', direction: 'DOWN' },
    });
    expect(await refusal(reverse(entry.id))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_REVERSIBLE' });
    expect(await refusal(reverse(reversal.entry.id))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_REVERSIBLE' });
  });

  test('asked for by several at once happens once', async () => {
    const customerId = await newCustomer();
    const { entry } = await award(customerId, { points: 10 });
    const other = await openLoyalty(created.url);
    const asked = [world, other, world, other].map(({ service }) =>
      service.reversePoints(call, { idempotencyKey: newId(), entryId: entry.id }),
    );
    const outcomes = await Promise.allSettled(asked);
    await other.close();
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await world.service.members([customerId]))[0]).toMatchObject({ balance: 0, earned: 0 });
  });

  test('of points that are gone leaves a debt, which what comes next pays first', async () => {
    const customerId = await newCustomer();
    const { entry } = await award(customerId, { points: 100 });
    await world.service.adjustPoints(call, { idempotencyKey: newId(), customerId, points: -30, reason: 'x' });
    expect(await reverse(entry.id)).toMatchObject({
      entry: { points: -70, debt: 30, balanceAfter: 0 },
      account: { balance: 0, debt: 30, earned: 0 },
    });
    expect(await award(customerId, { points: 20 })).toMatchObject({
      entry: { points: 0, debt: -20, qualifying: 20 },
      account: { balance: 0, debt: 10, earned: 20 },
    });
    expect((await award(customerId, { points: 15 })).account).toMatchObject({ balance: 5, debt: 0, earned: 35 });
  });

  test('of nothing is refused', async () => {
    expect(await refusal(reverse(newId()))).toEqual({ code: 'LOYALTY_ENTRY_NOT_FOUND', path: ['entryId'] });
  });
});

describe('bad input', () => {
  const invalid = (path: string) => ({ code: 'CORE_INVALID_INPUT', path: [path] });

  test.each<[string, Partial<AwardInput>, string]>([
    ['negative points', { points: -1 }, 'points'],
    ['no points', { points: 0 }, 'points'],
    ['half a point', { points: 0.5 }, 'points'],
    ['no number', { points: Number.NaN }, 'points'],
    ['endless points', { points: Number.POSITIVE_INFINITY }, 'points'],
    ['more points than one award may give', { points: 1_000_001 }, 'points'],
    ['neither rule nor points', {}, 'rule'],
    ['rule and points', { points: 5, rule: 'feedback' }, 'points'],
    ['an empty rule', { rule: ' ' }, 'rule'],
    ['an unknown rule', { rule: 'kindness' }, 'rule'],
    ['points and a count', { points: 5, count: 2 }, 'count'],
    ['a count of zero', { rule: 'feedback', count: 0 }, 'count'],
    ['a fractional count', { rule: 'feedback', count: 1.5 }, 'count'],
    ['a huge count', { rule: 'feedback', count: 10_001 }, 'count'],
    ['an empty key', { points: 5, idempotencyKey: '' }, 'idempotencyKey'],
    ['a key with a blank', { points: 5, idempotencyKey: 'a b' }, 'idempotencyKey'],
    ['a long key', { points: 5, idempotencyKey: 'x'.repeat(201) }, 'idempotencyKey'],
    ['a customer that is no id', { points: 5, customerId: 'acme' }, 'customerId'],
    ['a long reason', { points: 5, reason: 'x'.repeat(501) }, 'reason'],
    ['the future', { points: 5, effectiveAt: new Date(START.getTime() + 1) }, 'effectiveAt'],
    ['no time at all', { points: 5, effectiveAt: new Date(Number.NaN) }, 'effectiveAt'],
  ])('%s is refused with its field', async (_, input, path) => {
    expect(await refusal(award(await newCustomer(), input))).toEqual(invalid(path));
  });

  test('an adjustment needs points and a reason', async () => {
    const adjust = async (points: number, reason: string) =>
      refusal(world.service.adjustPoints(call, { idempotencyKey: newId(), customerId: newId(), points, reason }));
    expect(await adjust(0, 'x')).toEqual(invalid('points'));
    expect(await adjust(0.1, 'x')).toEqual(invalid('points'));
    expect(await adjust(-1_000_001, 'x')).toEqual(invalid('points'));
    expect(await adjust(1, '  ')).toEqual(invalid('reason'));
  });

  test('an unknown customer is not found', async () => {
    expect(await refusal(award(newId(), { points: 5 }))).toEqual({ code: 'CUSTOMERS_NOT_FOUND', path: ['customerId'] });
  });

  test('leaves no trace', async () => {
    const customerId = await newCustomer();
    const input = { idempotencyKey: newId(), customerId, rule: 'kindness' };
    await refusal(world.service.awardPoints(call, input));
    const kept = await world.database.query('select from idempotency_key where key = $1', [input.idempotencyKey]);
    expect(kept).toEqual([]);
  });
});
