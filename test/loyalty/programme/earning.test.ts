import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_RULES } from '../../../modules/loyalty/defaults.ts';
import type { CapPeriod, EarningRule } from '../../../modules/loyalty/domain/rules.ts';
import { requestOf } from '../../../modules/loyalty/ledger/commands.ts';
import { CAMPAIGNS, ORDER_POINTS, TIER_QUALIFICATION } from '../../../modules/loyalty/programme/settings.ts';
import { EARNING_RULES } from '../../../modules/loyalty/settings.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { openLoyalty, plantCustomers } from '../world.ts';
import { call, openProgramme, type Programme } from './world.ts';

let world: Programme;

beforeAll(async () => {
  world = await openProgramme();
});
afterAll(async () => {
  expect(await world.close({ windowed: false })).toEqual([]);
});
beforeEach(async () => {
  for (const setting of [EARNING_RULES, CAMPAIGNS, ORDER_POINTS]) await world.change(setting, setting.default);
  await world.timeZone('UTC');
  world.at('2026-11-25T12:00:00Z');
});

const feedback = DEFAULT_RULES.find((rule) => rule.key === 'feedback') as EarningRule;
const rules = (more: Partial<EarningRule>) =>
  world.change(EARNING_RULES, [{ ...feedback, ...more }, ...DEFAULT_RULES.filter((rule) => rule !== feedback)]);
const week = { validFrom: '2026-11-23T00:00:00Z', validUntil: '2026-11-30T00:00:00Z' };
const campaigns = (stacking: 'BEST' | 'ADD', ...list: object[]) =>
  world.change(CAMPAIGNS, { stacking, campaigns: list.map((one) => ({ name: 'Campaign', ...week, ...one })) });

/** Points of an award, or the code of its refusal. */
const given = (asked: Promise<{ entry: { points: number } }>) =>
  asked.then(
    ({ entry }) => entry.points,
    (error: unknown) => {
      if (error instanceof DomainError) return error.code;
      throw error;
    },
  );

const order = async (customerId: string, points: number, placedAt = world.clock.now()) => {
  const command = { kind: 'order', customerId, orderId: newId(), points, placedAt } as const;
  const request = requestOf(call, `order ${command.orderId}`, command);
  const [answer] = await world.database.transaction((tx) => world.service.post(tx, [request]));
  return answer instanceof DomainError ? answer.code : (answer?.entry.points ?? 0);
};

describe('caps', () => {
  test.each<[CapPeriod, string, string, string]>([
    // The last instant of a period, the first of the next one, and when the period ends.
    ['DAY', '2026-03-29T22:59:59.999Z', '2026-03-29T23:00:00Z', '2026-03-29T23:00:00.000Z'],
    ['DAY', '2026-10-25T23:59:59.999Z', '2026-10-26T00:00:00Z', '2026-10-26T00:00:00.000Z'],
    ['DAY', '2028-02-29T23:59:59.999Z', '2028-03-01T00:00:00Z', '2028-03-01T00:00:00.000Z'],
    ['WEEK', '2026-03-29T22:59:59.999Z', '2026-03-29T23:00:00Z', '2026-03-29T23:00:00.000Z'],
    ['MONTH', '2026-03-31T22:59:59.999Z', '2026-03-31T23:00:00Z', '2026-03-31T23:00:00.000Z'],
    ['MONTH', '2028-02-29T23:59:59.999Z', '2028-03-01T00:00:00Z', '2028-03-01T00:00:00.000Z'],
    ['QUARTER', '2026-06-30T22:59:59.999Z', '2026-06-30T23:00:00Z', '2026-06-30T23:00:00.000Z'],
    ['YEAR', '2028-12-31T23:59:59.999Z', '2029-01-01T00:00:00Z', '2029-01-01T00:00:00.000Z'],
  ])('count a %s to %s in London', async (per, last, first, end) => {
    await world.timeZone('Europe/London');
    await rules({ cap: { times: 2, per } });
    const customerId = await world.customer();
    world.at(last);
    expect(await given(world.award(customerId, { rule: 'feedback', count: 2 }))).toBe(30);
    const refused = await world.award(customerId, { rule: 'feedback' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'LOYALTY_EARNING_CAP_REACHED', left: 0, resetsAt: new Date(end) });
    world.at(first);
    expect(await given(world.award(customerId, { rule: 'feedback' }))).toBe(15);
    // Told late, it counts when it was.
    expect(await given(world.award(customerId, { rule: 'feedback', effectiveAt: new Date(last) }))).toBe(
      'LOYALTY_EARNING_CAP_REACHED',
    );
  });

  test('of a lifetime never begin anew', async () => {
    await rules({ cap: { times: 1, per: 'LIFETIME' } });
    const customerId = await world.customer();
    expect(await given(world.award(customerId, { rule: 'feedback' }))).toBe(15);
    world.at('2099-01-01T00:00:00Z');
    const refused = await world.award(customerId, { rule: 'feedback' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ left: 0, resetsAt: new Date('9999-12-31T23:59:59.999Z') });
    expect(String(refused)).toMatch(/for good/);
  });

  test('hold when two processes and many calls award at once, known or not', async () => {
    await rules({ cap: { times: 5, per: 'MONTH' } });
    const customers = await plantCustomers(world.database, 6);
    for (const customerId of customers) await world.award(customerId, { points: 1 });
    const other = await openLoyalty(world.database.url);
    try {
      await other.settings.refresh();
      const awards = Array.from({ length: 120 }, (_, index) => {
        const service = index % 2 === 0 ? world.service : other.service;
        const customerId = customers[index % customers.length] as string;
        return given(service.awardPoints(call, { idempotencyKey: newId(), customerId, rule: 'feedback' }));
      });
      const answers = await Promise.all(awards);
      expect(answers.filter((answer) => answer === 15)).toHaveLength(30);
      expect(answers.filter((answer) => answer === 'LOYALTY_EARNING_CAP_REACHED')).toHaveLength(90);
      const members = await world.service.members(customers);
      expect(members.map(({ balance }) => balance)).toEqual([76, 76, 76, 76, 76, 76]);
    } finally {
      await other.close();
    }
  });

  test('are no reason to wait for a lock: a first use is written by one statement', async () => {
    const customerId = await world.customer();
    await world.award(customerId, { points: 1 });
    await rules({ cap: { times: 2, per: 'DAY' } });
    for (const points of [15, 15]) expect(await given(world.award(customerId, { rule: 'feedback' }))).toBe(points);
    const uses = await world.database.query(
      `select u.times from loyalty_rule_use u join loyalty_account a on a.id = u.account_id where a.customer_id = $1`,
      [customerId],
    );
    expect(uses).toEqual([{ times: 2 }]);
    expect(await given(world.award(customerId, { rule: 'feedback' }))).toBe('LOYALTY_EARNING_CAP_REACHED');
  });
});

describe('campaigns', () => {
  test('double what a segment earns in a week, and the entry says so', async () => {
    const [smb, other] = (await plantCustomers(world.database, 2)) as [string, string];
    await world.database.query(`update customer set business_segment = 'SMB' where id = $1`, [smb]);
    await campaigns('BEST', { key: 'smb_week', multiplier: 2, segment: { businessSegments: ['SMB'] } });
    expect(await given(world.award(smb, { rule: 'feedback' }))).toBe(30);
    expect(await given(world.award(other, { rule: 'feedback' }))).toBe(15);
    // What is given outright is what it is.
    expect(await given(world.award(smb, { points: 7 }))).toBe(7);
    expect(await given(world.award(smb, { rule: 'feedback', effectiveAt: new Date('2026-11-22T23:59:59.999Z') }))).toBe(
      15,
    );
    world.at('2026-11-30T00:00:00Z');
    expect(await given(world.award(smb, { rule: 'feedback' }))).toBe(15);
    const earnings = await world.database.query(
      `select e.points, x.base, x.campaigns, e.rule_version as version
       from loyalty_entry e join loyalty_account a on a.id = e.account_id
       left join loyalty_entry_earning x on x.entry_id = e.id where a.customer_id = $1 order by e.number`,
      [smb],
    );
    const version = world.settings.version(EARNING_RULES);
    expect(earnings).toEqual([
      { points: 30, base: 15, campaigns: ['smb_week'], version },
      { points: 7, base: null, campaigns: null, version: null },
      { points: 15, base: null, campaigns: null, version },
      { points: 15, base: null, campaigns: null, version },
    ]);
  });

  test('look at plans that run and at the tier held', async () => {
    const customerId = await world.customer();
    await world.database.query(
      `insert into subscription (id, customer_id, external_id, plan, mrr_minor, currency, started_at, cancelled_at, created_at, updated_at)
       values (gen_random_uuid(), $1, 's-1', 'team', 100, 'USD', now(), null, now(), now()),
              (gen_random_uuid(), $1, 's-2', 'solo', 100, 'USD', now(), now(), now(), now())`,
      [customerId],
    );
    await campaigns(
      'ADD',
      { key: 'team', multiplier: 1.5, segment: { plans: ['team'] } },
      { key: 'solo', multiplier: 5, segment: { plans: ['solo'] } },
      { key: 'silver', multiplier: 2, segment: { tiers: ['SILVER'] } },
      { key: 'logins', multiplier: 9, rules: ['monthly_login'] },
    );
    expect(await given(world.award(customerId, { rule: 'feedback' }))).toBe(22);
    await world.award(customerId, { points: 1_000 });
    // 20 points of Silver: half as many more, and as many again.
    expect(await given(world.award(customerId, { rule: 'feedback' }))).toBe(50);
  });
});

describe('orders', () => {
  test('earn by tier, within bounds, what is left of the cap, and then nothing', async () => {
    await world.change(ORDER_POINTS, {
      ...ORDER_POINTS.default,
      multipliers: { BRONZE: 1, SILVER: 1.5, GOLD: 2, PLATINUM: 2 },
      maxPointsPerOrder: 1_000,
      cap: { points: 2_000, per: 'MONTH' },
    });
    await campaigns('BEST', { key: 'orders', multiplier: 2, rules: ['order_placed'] });
    const customerId = await world.customer();
    expect(await order(customerId, 100)).toBe(200);
    expect(await order(customerId, 5_000)).toBe(1_000);
    // Silver now: 100 × 1.5 × 2.
    expect(await order(customerId, 100)).toBe(300);
    expect(await order(customerId, 900)).toBe(500);
    expect(await order(customerId, 1)).toBe('LOYALTY_EARNING_CAP_REACHED');
    world.at('2026-12-01T00:00:00Z');
    expect(await order(customerId, 1)).toBe(1);
  });
});

describe('a simulation', () => {
  const simulate = async (customerId: string, input: { rule: string; count?: number; at?: Date }) => {
    const { earnings } = await world.service.simulateEarning(call, { customerId, ...input });
    const [only] = earnings;
    return only?.refusal?.code ?? only?.points;
  };

  test('says what an award then gives, and writes nothing', async () => {
    await rules({ cap: { times: 7, per: 'MONTH' } });
    const [, , , referral] = DEFAULT_RULES;
    await campaigns(
      'ADD',
      { key: 'all', multiplier: 1.15 },
      { key: 'silver', multiplier: 2, segment: { tiers: ['SILVER', 'GOLD'] } },
      { key: 'smb', multiplier: 1.5, rules: ['feedback'], segment: { businessSegments: ['SMB'] } },
    );
    const everything = async () => {
      const [counts] = await world.database.query(
        `select (select count(*) from loyalty_entry) as entries, (select count(*) from loyalty_account) as accounts,
                (select sum(times) from loyalty_rule_use) as uses, (select count(*) from outbox_event) as events,
                (select count(*) from idempotency_key) as keys`,
      );
      return counts;
    };
    const step = fc.record({
      who: fc.nat(2),
      rule: fc.constantFrom('feedback', 'monthly_login', 'case_study', referral?.key as string, 'unknown'),
      count: fc.integer({ min: 1, max: 4 }),
      days: fc.nat(40),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 12 }), async (steps) => {
        world.at('2026-11-25T12:00:00Z');
        const customers = await plantCustomers(world.database, 3);
        await world.database.query(`update customer set business_segment = 'SMB' where id = $1`, [customers[0]]);
        for (const { who, rule, count, days } of steps) {
          world.clock.advance((days * 86_400_000) / 8);
          const customerId = customers[who] as string;
          const before = await everything();
          const expected = await simulate(customerId, { rule, count }).catch((error: DomainError) => error.code);
          expect(await everything()).toEqual(before);
          expect(await given(world.award(customerId, { rule, count }))).toBe(expected);
        }
      }),
      { numRuns: 8 },
    );
  });

  test('explains itself: rule, version, campaigns, caps used and left', async () => {
    await rules({ cap: { times: 3, per: 'WEEK' } });
    await campaigns('BEST', { key: 'double', multiplier: 2 }, { key: 'half_more', multiplier: 1.5 });
    const customerId = await world.customer();
    await world.award(customerId, { points: 990 });
    await world.award(customerId, { rule: 'feedback' });
    const { earnings, ...whole } = await world.service.simulateEarning(call, { customerId, rule: 'feedback' });
    expect(whole).toMatchObject({ points: 40, tierBefore: 'SILVER', tierAfter: 'SILVER' });
    expect(earnings).toEqual([
      expect.objectContaining({
        rule: 'feedback',
        points: 40,
        base: 20,
        ruleVersion: world.settings.version(EARNING_RULES),
        campaigns: [expect.objectContaining({ key: 'double' })],
        refusal: null,
        cap: expect.objectContaining({ per: 'WEEK', limit: 3, used: 1, usedAfter: 2 }),
      }),
    ]);
    // Next week: no campaign, and the cap is whole again.
    const later = await world.service.simulateEarning(call, {
      customerId,
      rule: 'feedback',
      count: 3,
      at: new Date('2026-11-30T00:00:00Z'),
    });
    expect(later.earnings[0]).toMatchObject({ points: 60, campaigns: [], cap: { used: 0, usedAfter: 3 } });
    expect(await simulate(customerId, { rule: 'feedback', count: 3 })).toBe('LOYALTY_EARNING_CAP_REACHED');
  });

  test('of an order, of an event, and of a tier reached on the way', async () => {
    await rules({ trigger: { event: 'review.given', where: [{ field: 'value', is: 'GTE', to: 4 }] } });
    const customerId = await world.customer();
    const asked = await world.service.simulateEarning(call, { customerId, orderAmountMinor: 100_099 });
    expect(asked).toMatchObject({ points: 1_000, tierBefore: 'BRONZE', tierAfter: 'SILVER' });
    const review = (value: string) =>
      world.service.simulateEarning(call, { customerId, event: { name: 'review.given', value, properties: {} } });
    expect((await review('5')).earnings).toMatchObject([{ rule: 'feedback', points: 15 }]);
    expect((await review('3')).earnings).toEqual([]);
    await expect(world.service.simulateEarning(call, { customerId })).rejects.toMatchObject({
      code: 'CORE_INVALID_INPUT',
    });
    await expect(world.service.simulateEarning(call, { customerId: newId(), rule: 'feedback' })).rejects.toMatchObject({
      code: 'CUSTOMERS_NOT_FOUND',
    });
    expect(await world.tier(customerId)).toBeUndefined();
  });

  test('goes by the window that counts, and counts nothing by it', async () => {
    const customerId = await world.customer();
    await world.award(customerId, { points: 990, effectiveAt: new Date('2026-10-31T23:59:59Z') });
    await world.change(TIER_QUALIFICATION, { window: { kind: 'ROLLING_MONTHS', months: 1 }, graceDays: 0 });
    const asked = { customerId, rule: 'feedback' };
    expect(await world.service.simulateEarning(call, asked)).toMatchObject({ tierAfter: 'BRONZE' });
    expect(await world.database.query('select from loyalty_earned_month')).toEqual([]);
    await world.change(TIER_QUALIFICATION, TIER_QUALIFICATION.default);
    expect(await world.service.simulateEarning(call, asked)).toMatchObject({ tierAfter: 'SILVER' });
  });
});

test.each<[string, object, unknown]>([
  [
    'a campaign that ends before it begins',
    CAMPAIGNS,
    {
      stacking: 'BEST',
      campaigns: [{ key: 'x1', name: 'X', validFrom: week.validUntil, validUntil: week.validFrom, multiplier: 2 }],
    },
  ],
  [
    'a multiplier below one',
    CAMPAIGNS,
    { stacking: 'BEST', campaigns: [{ key: 'x1', name: 'X', ...week, multiplier: 0.5 }] },
  ],
  [
    'a multiplier of thousandths',
    CAMPAIGNS,
    { stacking: 'BEST', campaigns: [{ key: 'x1', name: 'X', ...week, multiplier: 1.005 }] },
  ],
  ['a trigger by orders', EARNING_RULES, [{ ...feedback, trigger: { event: 'order.placed', where: [] } }]],
  [
    'a condition without a value',
    EARNING_RULES,
    [{ ...feedback, trigger: { event: 'a', where: [{ field: 'value', is: 'EQ' }] } }],
  ],
  ['a window of no month', TIER_QUALIFICATION, { window: { kind: 'ROLLING_MONTHS', months: 0 }, graceDays: 1 }],
  ['points by fractions', ORDER_POINTS, { ...ORDER_POINTS.default, pointsPerUnit: 1.5 }],
])('%s is refused', async (_, setting, value) => {
  await expect(world.change(setting as { key: string }, value)).rejects.toMatchObject({ code: 'CORE_INVALID_INPUT' });
});

test('hundredths that binary fractions cannot hold are multipliers like others', async () => {
  for (const multiplier of [1.1, 1.15, 2.3, 9.99]) {
    await campaigns('BEST', { key: 'any', multiplier });
    expect((await world.settings.get(CAMPAIGNS)).campaigns[0]?.multiplier).toBe(multiplier);
  }
});
