import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enqueue } from '../../src/core/jobs.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { type OrderGiven, shopOf } from './world.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const DAY_MS = 86_400_000;
const CUSTOMERS = 80;
const BUDGET_MINOR = 6_000;

let app: TestApp;
let shop: ReturnType<typeof shopOf>;
let plan: Plan;

/** A shop of 80: every eighth ordered last 120 days ago and is gone, the others within 60 days. */
const ORDERS: readonly OrderGiven[] = Array.from({ length: CUSTOMERS }, (_, at) => {
  const last = at % 8 === 0 ? 120 : 1 + ((at * 37) % 60);
  return Array.from({ length: [2, 3, 5, 12, 20][at % 5] as number }, (__, turn) => ({
    id: `o-${at}-${turn}`,
    customer: `c-${at}`,
    at: new Date(NOW.getTime() - (last + turn * (4 + (at % 9))) * DAY_MS - at * 60_000).toISOString(),
    amountMinor: 1_000 + ((at * 7_919 + turn * 977) % 9_000),
    currency: 'USD',
  }));
}).flat();

interface Sums {
  readonly customers: number;
  readonly cost: { readonly amountMinor: number };
  readonly expectedSaved: { readonly amountMinor: number };
}
interface Lift {
  readonly missing: string | null;
  readonly treated: number;
  readonly treatedRetained: number;
  readonly heldOut: number;
  readonly heldOutRetained: number;
  readonly difference: number | null;
  readonly differenceLow: number | null;
  readonly differenceHigh: number | null;
  readonly saved: { readonly amountMinor: number } | null;
}
interface Plan {
  readonly id: string;
  readonly state: string;
  readonly dueAt: string | null;
  readonly population: Readonly<Record<string, number>>;
  readonly actions: readonly {
    readonly key: string;
    readonly picked: Sums;
    readonly heldOut: Sums;
    readonly lift: Lift;
  }[];
  readonly picked: Sums;
  readonly heldOut: Sums;
  readonly bound: { readonly amountMinor: number };
  readonly gap: { readonly amountMinor: number };
  readonly gapShare: number;
  readonly lift: Lift;
  readonly assignments: { readonly totalCount: number };
}
interface Assignment {
  readonly customer: { readonly externalId: string };
  readonly action: string;
  readonly heldOut: boolean;
  readonly churnProbability: number;
  readonly probabilitySource: string;
  readonly value: { readonly amountMinor: number };
  readonly cost: { readonly amountMinor: number };
  readonly expectedSaved: { readonly amountMinor: number };
  readonly retained: boolean | null;
}

const SUMS = '{ customers cost { amountMinor } expectedSaved { amountMinor } }';
const LIFT =
  '{ missing treated treatedRetained heldOut heldOutRetained difference differenceLow differenceHigh saved { amountMinor } }';
const PLAN = `{ id state dueAt population { valued gone inCampaign withoutProbability notWorthwhile predicted assumed }
  actions { key picked ${SUMS} heldOut ${SUMS} lift ${LIFT} } picked ${SUMS} heldOut ${SUMS}
  bound { amountMinor } gap { amountMinor } gapShare lift ${LIFT} assignments { totalCount } }`;

/** Calls a mutation; an answer is the plan, or the failure. */
async function change(name: string, input: Readonly<Record<string, unknown>>): Promise<Plan & { code?: string }> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const answer = await app.query<Record<string, { allocation?: Plan; code?: string }>>(
    `mutation ($input: ${type}Input!) { ${name}(input: $input) { ... on ${type}Success { allocation ${PLAN} } ... on DomainError { code path } } }`,
    { input },
  );
  return (answer[name]?.allocation ?? answer[name]) as Plan & { code?: string };
}

const terms = {
  name: 'Autumn',
  budgetMinor: BUDGET_MINOR,
  assumedProbability: 0.5,
  holdoutShare: 0.25,
  seed: 7,
  actions: [
    { key: 'email', costMinor: 10 },
    { key: 'discount', costMinor: 200 },
    { key: 'call', costMinor: 300, capacity: 6 },
    { key: 'executive', leftOut: true },
  ],
};
const planned = (key: string, more: object = {}) =>
  change('planAllocation', { ...terms, idempotencyKey: key, ...more });
const read = async (id: string) =>
  (await app.query<{ allocation: Plan }>(`query ($id: ID!) { allocation(id: $id) ${PLAN} }`, { id })).allocation;

type Edges = readonly { readonly cursor: string; readonly node: Assignment }[];

async function assignmentsOf(id: string): Promise<Assignment[]> {
  const page = async (after: string | null): Promise<Edges> => {
    const { allocation } = await app.query<{ allocation: { assignments: { edges: Edges } } }>(
      `query ($id: ID!, $after: String) { allocation(id: $id) { assignments(first: 25, after: $after) { edges { cursor node {
         customer { externalId } action heldOut churnProbability probabilitySource value { amountMinor } cost { amountMinor }
         expectedSaved { amountMinor } retained } } } } }`,
      { id, after },
    );
    return allocation.assignments.edges;
  };
  const all: Assignment[] = [];
  for (let edges = await page(null); edges.length > 0; edges = await page(edges.at(-1)?.cursor ?? null)) {
    all.push(...edges.map(({ node }) => node));
  }
  return all;
}

/** Events of a plan, in order. */
async function eventsOf(id: string): Promise<string[]> {
  const uuid = Buffer.from(id, 'base64url').toString().split(':')[1];
  const rows = await app.app.infra.database.query<{ type: string }>(
    `select type from outbox_event where payload->>'allocationId' = $1 order by id`,
    [uuid],
  );
  return rows.map(({ type }) => type);
}

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  shop = shopOf(app);
  await app.query(
    `mutation ($value: JSON!) { changeSetting(input: { key: "value.allocation", value: $value }) { __typename } }`,
    {
      value: {
        valueMethod: 'BG_NBD',
        horizonDays: 90,
        holdoutShare: 0.1,
        stratified: true,
        minimumPerSide: 5,
        level: 0.95,
      },
    },
  );
  await shop.order(ORDERS);
  await shop.refresh();
  plan = await planned('first');
}, 120_000);
afterAll(() => app.close());

describe('a plan', () => {
  test('adds up, stays within its budget and capacities, and says how far from the best it can be', async () => {
    const all = await assignmentsOf(plan.id);
    const sum = (rows: readonly Assignment[]): Sums => ({
      customers: rows.length,
      cost: { amountMinor: rows.reduce((total, { cost }) => total + cost.amountMinor, 0) },
      expectedSaved: { amountMinor: rows.reduce((total, row) => total + row.expectedSaved.amountMinor, 0) },
    });
    expect(plan).toMatchObject({ state: 'DRAFT', dueAt: null, assignments: { totalCount: all.length } });
    expect(plan.picked).toEqual(sum(all));
    expect(plan.heldOut).toEqual(sum(all.filter(({ heldOut }) => heldOut)));
    expect(plan.picked.cost.amountMinor).toBeLessThanOrEqual(BUDGET_MINOR);
    expect(plan.actions.map(({ key }) => key)).toEqual(['email', 'discount', 'call']);
    for (const { key, picked, heldOut } of plan.actions) {
      const own = all.filter(({ action }) => action === key);
      expect(picked).toEqual(sum(own));
      expect(heldOut).toEqual(sum(own.filter((one) => one.heldOut)));
      expect(Math.abs(heldOut.customers - picked.customers / 4)).toBeLessThanOrEqual(1);
    }
    expect(plan.actions[2]?.picked.customers).toBeLessThanOrEqual(6);
    const saved = plan.picked.expectedSaved.amountMinor;
    expect(saved).toBeGreaterThan(0);
    expect(plan.gap.amountMinor).toBe(plan.bound.amountMinor - saved);
    expect(plan.gap.amountMinor).toBeGreaterThanOrEqual(0);
    expect(plan.gapShare).toBeLessThan(0.05);
  });

  test('reckons what each action saves of each customer, the most first, and says what it assumed', async () => {
    const all = await assignmentsOf(plan.id);
    const rates: Readonly<Record<string, number>> = { email: 0.02, discount: 0.08, call: 0.12 };
    for (const { action, churnProbability, probabilitySource, value, cost, expectedSaved } of all) {
      expect({ churnProbability, probabilitySource }).toEqual({ churnProbability: 0.5, probabilitySource: 'ASSUMED' });
      expect(expectedSaved.amountMinor).toBe(
        Math.round(0.5 * (rates[action] ?? 0) * value.amountMinor) - cost.amountMinor,
      );
    }
    const saved = all.map(({ expectedSaved }) => expectedSaved.amountMinor);
    expect(saved).toEqual(saved.toSorted((a, b) => b - a));
    expect(new Set(all.map(({ customer }) => customer.externalId)).size).toBe(all.length);
  });

  test('leaves out who is gone, and whom nothing is known of when nothing is assumed, and counts them', async () => {
    const { customers } = await app.query<{
      customers: {
        edges: {
          node: { externalId: string; value: { estimates: { method: string; value: { amountMinor: number } }[] } };
        }[];
      };
    }>(
      '{ customers(first: 100) { edges { node { externalId value { estimates { method value { amountMinor } } } } } } }',
    );
    const valued = customers.edges.filter(({ node }) =>
      node.value.estimates.some(({ method, value }) => method === 'BG_NBD' && value.amountMinor > 0),
    );
    const gone = valued.filter(({ node }) => Number(node.externalId.slice(2)) % 8 === 0).length;
    expect(gone).toBeGreaterThan(0);
    expect(plan.population).toMatchObject({
      valued: valued.length,
      gone,
      inCampaign: 0,
      withoutProbability: 0,
      predicted: 0,
    });
    const { notWorthwhile = 0, assumed = 0 } = plan.population;
    expect(notWorthwhile + assumed).toBe(valued.length - gone);

    const nothing = await planned('nothing-assumed', { assumedProbability: null });
    expect([nothing.picked.customers, nothing.bound.amountMinor]).toEqual([0, 0]);
    expect(nothing.population).toMatchObject({ gone, withoutProbability: valued.length - gone, assumed: 0 });
  });

  test('is made once per key, and refused when it makes no sense', async () => {
    expect(await planned('first')).toEqual(plan);
    expect(await planned('first', { seed: 8 })).toMatchObject({ code: 'CORE_IDEMPOTENCY_CONFLICT' });
    for (const bad of [
      { budgetMinor: 0 },
      { assumedProbability: 1.5 },
      { holdoutShare: 0.9 },
      { actions: [{ key: 'fax' }] },
      { name: '' },
    ])
      expect(await planned('bad', bad)).toMatchObject({ code: 'CORE_INVALID_INPUT' });
    expect(await planned('same-seed')).toMatchObject({ heldOut: plan.heldOut, picked: plan.picked });
  });

  test('has no lift before it is confirmed', () => {
    expect(plan.lift).toMatchObject({ missing: 'NOT_CONFIRMED', difference: null, saved: null });
  });
});

describe('a campaign', () => {
  test('is a confirmed plan; its customers are in no other', async () => {
    const rival = await planned('rival');
    const input = { idempotencyKey: 'go', allocationId: plan.id };
    const confirmed = await change('confirmCampaign', input);
    const dueAt = new Date(NOW.getTime() + 90 * DAY_MS).toISOString();
    expect(confirmed).toMatchObject({ state: 'CONFIRMED', dueAt, lift: { missing: 'HORIZON_NOT_OVER' } });
    expect(await change('confirmCampaign', input)).toEqual(confirmed);
    expect(await change('confirmCampaign', { ...input, idempotencyKey: 'again' })).toMatchObject({
      code: 'VALUE_ALLOCATION_STATE_CONFLICT',
    });
    const rivalInput = { idempotencyKey: 'rival', allocationId: rival.id };
    expect(await change('confirmCampaign', rivalInput)).toMatchObject({ code: 'VALUE_ALLOCATION_OVERLAP' });
    expect(await change('cancelCampaign', rivalInput)).toMatchObject({
      state: 'CANCELLED',
      lift: { missing: 'CANCELLED' },
    });
    const next = await planned('next');
    expect(next.population.inCampaign).toBe(plan.picked.customers);
    expect(await eventsOf(plan.id)).toEqual(['value.allocationPlanned', 'value.campaignConfirmed']);
    expect(await eventsOf(rival.id)).toEqual(['value.allocationPlanned', 'value.campaignCancelled']);
  });

  test('stands at its customers while it runs', async () => {
    const [first] = await assignmentsOf(plan.id);
    const { customer } = await app.query<{ customer: { campaign: object } }>(
      'query ($id: String!) { customer(externalId: $id) { campaign { allocationId action heldOut } } }',
      { id: first?.customer.externalId },
    );
    expect(customer.campaign).toEqual({ allocationId: plan.id, action: first?.action, heldOut: first?.heldOut });
  });

  test('forgets customers who are erased; its sums stay', async () => {
    const victim = (await assignmentsOf(plan.id)).find(({ heldOut }) => !heldOut)?.customer.externalId;
    const { customer } = await app.query<{ customer: { id: string } }>(
      'query ($id: String!) { customer(externalId: $id) { id } }',
      { id: victim },
    );
    await app.query('mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }', {
      input: { customerId: customer.id },
    });
    await app.settle();
    expect(await read(plan.id)).toMatchObject({
      picked: plan.picked,
      assignments: { totalCount: plan.picked.customers - 1 },
    });
  });

  test('is measured when its horizon is over, against those held out', async () => {
    const measure = async () => {
      await app.app.infra.database.transaction((tx) => enqueue(tx, 'value.measureCampaigns', {}));
      await app.settle();
    };
    app.clock?.advance(80 * DAY_MS);
    await measure();
    expect(await read(plan.id)).toMatchObject({ state: 'CONFIRMED', lift: { missing: 'HORIZON_NOT_OVER' } });

    // All the treated but one come back, and of those held out only the first two.
    const all = await assignmentsOf(plan.id);
    const treated = all.filter(({ heldOut }) => !heldOut);
    const held = all.filter(({ heldOut }) => heldOut);
    const back = [...treated.slice(1), ...held.slice(0, 2)].map(({ customer }) => customer.externalId);
    const at = new Date(NOW.getTime() + 80 * DAY_MS).toISOString();
    await shop.order(
      back.map((customer) => ({ id: `back-${customer}`, customer, at, amountMinor: 500, currency: 'USD' })),
    );
    await app.settle();
    app.clock?.advance(11 * DAY_MS);
    await measure();

    // Who did not come back is gone when the last order was 90 days before the end of the horizon: before the campaign.
    const { state, lift, actions } = await read(plan.id);
    expect(state).toBe('MEASURED');
    expect(lift).toMatchObject({
      missing: null,
      treated: treated.length,
      treatedRetained: treated.length - 1,
      heldOut: held.length,
      heldOutRetained: 2,
    });
    const difference = (treated.length - 1) / treated.length - 2 / held.length;
    expect(lift.difference).toBeCloseTo(difference, 12);
    expect(lift.differenceLow).toBeLessThan(difference);
    expect(lift.differenceHigh).toBeGreaterThan(difference);
    const sum = (of: (row: Assignment) => number) => treated.reduce((total, row) => total + of(row), 0);
    expect(lift.saved?.amountMinor).toBe(
      Math.round(difference * sum(({ value }) => value.amountMinor)) - sum(({ cost }) => cost.amountMinor),
    );
    expect(actions.reduce((total, action) => total + action.lift.treated, 0)).toBe(treated.length);
    for (const action of actions)
      expect(action.lift.missing === null).toBe(Math.min(action.lift.treated, action.lift.heldOut) >= 5);
    expect((await assignmentsOf(plan.id)).filter(({ retained }) => retained)).toHaveLength(back.length);
    expect((await eventsOf(plan.id)).at(-1)).toBe('value.campaignMeasured');
    expect(await change('cancelCampaign', { idempotencyKey: 'late', allocationId: plan.id })).toMatchObject({
      code: 'VALUE_ALLOCATION_STATE_CONFLICT',
    });
  });
});

describe('the list of allocations', () => {
  test('goes from the newest to the oldest, page by page, and by state', async () => {
    const page = async (args: string) =>
      (
        await app.query<{
          allocations: { totalCount: number; edges: { node: { id: string } }[]; pageInfo: { endCursor: string } };
        }>(`{ allocations(${args}) { totalCount edges { node { id } } pageInfo { endCursor } } }`)
      ).allocations;
    const all = await page('first: 100');
    const first = await page('first: 2');
    const rest = await page(`first: 100, after: "${first.pageInfo.endCursor}"`);
    expect(all.edges).toHaveLength(all.totalCount);
    expect([...first.edges, ...rest.edges]).toEqual(all.edges);
    expect(all.edges.at(-1)?.node.id).toBe(plan.id);
    expect(await page('first: 5, states: [MEASURED]')).toMatchObject({
      totalCount: 1,
      edges: [{ node: { id: plan.id } }],
    });
  });

  test('asks for value:read, planning for value:write', async () => {
    const reader = await app.createKey(['value:read']);
    const stranger = await app.createKey(['customers:read']);
    const code = async (query: string, key: string) =>
      (await app.ask(query, {}, { authorization: `Bearer ${key}` })).errors?.[0]?.extensions.code;
    expect(await code('{ allocations { totalCount } }', reader)).toBeUndefined();
    expect(await code('{ allocations { totalCount } }', stranger)).toBe('ACCESS_SCOPE_MISSING');
    const mutation = `mutation { planAllocation(input: { idempotencyKey: "x", name: "x", budgetMinor: 1 }) { __typename } }`;
    expect(await code(mutation, reader)).toBe('ACCESS_SCOPE_MISSING');
  });
});
