import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

/** New York: its months begin four or five hours after those of UTC. */
const MONTHS = ['2026-01-01T05', '2026-02-01T05', '2026-03-01T05', '2026-04-01T04', '2026-05-01T04', '2026-06-01T04'];
const BOUNDS = MONTHS.map((hour) => Date.parse(`${hour}:00:00Z`));
const NOW = new Date('2026-06-01T04:00:00Z');
const HOUR = 3_600_000;
const FIRST = Date.parse('2025-12-20T00:30:00Z');
const LAST = NOW.getTime() - 2 * HOUR;

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  const { settings } = await app.query<{ settings: { key: string; value: object }[] }>('{ settings { key value } }');
  const profile = settings.find(({ key }) => key === 'business.profile')?.value;
  await app.query('mutation ($input: ChangeSettingInput!) { changeSetting(input: $input) { __typename } }', {
    input: { key: 'business.profile', value: { ...profile, timeZone: 'America/New_York' } },
  });
});
afterAll(() => app.close());

/** A subscription by its states: an amount from a time on, null when it ends. */
interface History {
  readonly customer: number;
  readonly states: readonly { readonly atMs: number; readonly mrrMinor: number | null }[];
}

/** Hours on half past, so that no change lies within the hour's grace of another or of a month's end. */
const hour = fc.integer({ min: 0, max: Math.floor((LAST - FIRST) / (2 * HOUR)) }).map((n) => FIRST + n * 2 * HOUR);
const history = fc.record({
  customer: fc.integer({ min: 0, max: 59 }),
  states: fc
    .tuple(
      fc.uniqueArray(hour, { minLength: 1, maxLength: 5 }),
      fc.array(fc.option(fc.integer({ min: 0, max: 50_000 }), { freq: 3, nil: null }), { minLength: 5, maxLength: 5 }),
    )
    .map(([times, amounts]) => {
      const states: { atMs: number; mrrMinor: number | null }[] = [];
      for (const [n, atMs] of times.toSorted((a, b) => a - b).entries()) {
        const mrrMinor = n === 0 ? (amounts[0] ?? 900) : (amounts[n] ?? null);
        if (mrrMinor !== null || states.at(-1)?.mrrMinor !== null) states.push({ atMs, mrrMinor });
      }
      return states;
    }),
});

async function tell(histories: readonly History[]): Promise<void> {
  const rounds = Math.max(...histories.map(({ states }) => states.length));
  for (let round = 0; round < rounds; round += 1) {
    const input = histories.flatMap(({ customer, states }, n): object[] => {
      const state = states[round];
      if (state === undefined) return [];
      const at = new Date(state.atMs).toISOString();
      const key = { externalId: `s${n}`, customerExternalId: `c${customer}` };
      if (state.mrrMinor === null) return [{ ...key, cancelledAt: at }];
      const amount = { plan: 'plan', mrrMinor: state.mrrMinor, currency: 'USD' };
      return [
        round === 0 ? { ...key, ...amount, startedAt: at } : { ...key, ...amount, cancelledAt: null, changedAt: at },
      ];
    });
    const { upsertSubscriptions } = await app.query<{
      upsertSubscriptions: { __typename: string; message?: string }[];
    }>(
      `mutation ($input: [SubscriptionInput!]!) {
        upsertSubscriptions(input: $input) { __typename ... on DomainError { message } } }`,
      { input },
    );
    expect(upsertSubscriptions.filter(({ message }) => message !== undefined)).toEqual([]);
  }
  await app.settle();
}

const MRR = ['start', 'new', 'expansion', 'contraction', 'churned', 'reactivation', 'end'] as const;
interface Answer {
  readonly revenue: { readonly months: readonly Record<(typeof MRR)[number], { readonly amountMinor: number }>[] };
  readonly churn: { readonly months: readonly Readonly<Record<string, number>>[] };
}

test('random histories: each month adds up, and says what asking every subscription at its ends says', async () => {
  const histories = fc.sample(history, { numRuns: 110, seed: 20_261_127 });
  await tell(histories);
  const { revenue, churn } = await app.query<Answer>(
    `query ($period: PeriodInput!) {
      revenue(period: $period) { months { ${MRR.map((name) => `${name} { amountMinor }`).join(' ')} } }
      churn(period: $period) { months { start new churned reactivated joinedAndLeft end } }
    }`,
    { period: { from: '2026-01-01', to: '2026-06-01' } },
  );

  const stateAt = ({ states }: History, atMs: number) => states.findLast((one) => one.atMs < atMs);
  const customers = [...Map.groupBy(histories, (one) => one.customer).values()];
  const paid = (own: readonly History[], atMs: number) =>
    own.reduce((sum, one) => sum + (stateAt(one, atMs)?.mrrMinor ?? 0), 0);
  const isHere = (own: readonly History[], atMs: number) =>
    own.some((one) => typeof stateAt(one, atMs)?.mrrMinor === 'number');
  const isKnown = (own: readonly History[], atMs: number) => own.some((one) => stateAt(one, atMs) !== undefined);
  const count = (holds: (own: readonly History[]) => boolean) => customers.filter(holds).length;

  expect(revenue.months).toHaveLength(5);
  for (const [n, month] of revenue.months.entries()) {
    const [from, to] = [BOUNDS[n] as number, BOUNDS[n + 1] as number];
    const [start, fresh, expansion, contraction, churned, reactivation, end] = MRR.map(
      (name) => month[name].amountMinor,
    );
    expect(start).toBe(customers.reduce((sum, own) => sum + paid(own, from), 0));
    expect(end).toBe(customers.reduce((sum, own) => sum + paid(own, to), 0));
    const sum = [start, fresh, expansion, reactivation].reduce<number>((total, part) => total + (part ?? 0), 0);
    expect(sum - (contraction ?? 0) - (churned ?? 0)).toBe(end);
    const logos = churn.months[n];
    expect(logos).toEqual({
      start: count((own) => isHere(own, from)),
      end: count((own) => isHere(own, to)),
      churned: count((own) => isHere(own, from) && !isHere(own, to)),
      new: count((own) => !isKnown(own, from) && isHere(own, to)),
      reactivated: count((own) => isKnown(own, from) && !isHere(own, from) && isHere(own, to)),
      joinedAndLeft: count((own) => !isKnown(own, from) && isKnown(own, to) && !isHere(own, to)),
    });
  }
  for (const name of ['start', 'new', 'churned', 'reactivated', 'joinedAndLeft'])
    expect(
      churn.months.reduce((sum, month) => sum + (month[name] ?? 0), 0),
      name,
    ).toBeGreaterThan(0);
});
