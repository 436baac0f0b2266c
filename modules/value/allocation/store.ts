import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { ValueMethod } from '../store.ts';
import type { PlannedAction } from './domain/actions.ts';
import type { Population, ProbabilitySource } from './domain/candidates.ts';
import type { ArmCount, Lift } from './domain/lift.ts';

export type AllocationState = 'DRAFT' | 'CONFIRMED' | 'MEASURED' | 'CANCELLED';

/** What a plan was made with, for good. */
export interface AllocationTerms {
  readonly horizonDays: number;
  readonly assumedProbability: number | null;
  readonly valueMethod: ValueMethod;
  readonly grossMargin: number;
  readonly holdoutShare: number;
  readonly stratified: boolean;
  readonly seed: number;
  readonly minimumPerSide: number;
  readonly level: number;
}

/** Sums over customers. */
export interface PickSums {
  readonly customers: number;
  readonly costMinor: number;
  /** Expected, less the cost. */
  readonly savedMinor: number;
  readonly valueMinor: number;
}

export interface ActionPicks extends PlannedAction {
  readonly picked: PickSums;
  readonly heldOut: PickSums;
}

export interface AllocationTotals {
  readonly picked: PickSums;
  readonly heldOut: PickSums;
  readonly boundMinor: number;
}

export interface Measurement {
  readonly all: Lift;
  readonly byAction: Readonly<Record<string, Lift>>;
}

export interface AllocationRow {
  readonly id: string;
  readonly name: string;
  readonly state: AllocationState;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly confirmedAt: Date | null;
  readonly dueAt: Date | null;
  readonly measuredAt: Date | null;
  readonly cancelledAt: Date | null;
  readonly currency: string;
  readonly budgetMinor: number;
  readonly terms: AllocationTerms;
  readonly actions: readonly ActionPicks[];
  readonly population: Population;
  readonly totals: AllocationTotals;
  readonly measurement: Measurement | null;
}

export interface AssignmentRow {
  readonly customerId: string;
  readonly action: string;
  readonly heldOut: boolean;
  readonly probability: number;
  readonly probabilitySource: ProbabilitySource;
  readonly valueMinor: number;
  readonly costMinor: number;
  readonly savedMinor: number;
  readonly retained: boolean | null;
}

const PLAN = `select id, name, state, created_at as "createdAt", created_by as "createdBy", confirmed_at as "confirmedAt",
  due_at as "dueAt", measured_at as "measuredAt", cancelled_at as "cancelledAt", currency, budget_minor as "budgetMinor",
  terms, actions, population, totals, measurement from allocation_plan`;

/** Customers of one statement. */
const ROWS_MAX = 10_000;

/** What is expected of customers by one method, in one currency: a scan of the method's rows. */
export function expectedValues(
  database: Queryable,
  method: ValueMethod,
  currency: string,
): Promise<{ customerId: string; valueMinor: number }[]> {
  return database.query(
    `select customer_id as "customerId", value_minor as "valueMinor" from customer_value
     where method = $1 and currency = $2 and value_minor > 0 order by customer_id`,
    [method, currency],
  );
}

/** Customers whom a running campaign has, held out or not. */
export async function customersInCampaigns(database: Queryable): Promise<Set<string>> {
  const rows = await database.query<{ id: string }>(
    `select distinct a.customer_id as id from allocation_assignment a join allocation_plan p on p.id = a.plan_id
     where p.state = 'CONFIRMED'`,
  );
  return new Set(rows.map(({ id }) => id));
}

/** How many customers of a plan another running campaign has. */
export async function countOverlap(tx: Tx, planId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `select count(*)::int as count from allocation_assignment mine where mine.plan_id = $1 and exists (
       select from allocation_assignment other join allocation_plan p on p.id = other.plan_id
       where other.customer_id = mine.customer_id and other.plan_id <> $1 and p.state = 'CONFIRMED')`,
    [planId],
  );
  return row?.count ?? 0;
}

export async function insertPlan(
  tx: Tx,
  plan: Omit<AllocationRow, 'confirmedAt' | 'dueAt' | 'measuredAt' | 'cancelledAt' | 'measurement'>,
): Promise<void> {
  await tx.query(
    `insert into allocation_plan (id, name, state, created_at, created_by, currency, budget_minor, terms, actions, population, totals)
     values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10::jsonb, $11::jsonb)`,
    [
      plan.id,
      plan.name,
      plan.state,
      plan.createdAt,
      plan.createdBy,
      plan.currency,
      plan.budgetMinor,
      JSON.stringify(plan.terms),
      JSON.stringify(plan.actions),
      JSON.stringify(plan.population),
      JSON.stringify(plan.totals),
    ],
  );
}

export async function insertAssignments(
  tx: Tx,
  planId: string,
  all: readonly Omit<AssignmentRow, 'retained'>[],
): Promise<void> {
  for (let start = 0; start < all.length; start += ROWS_MAX) {
    const rows = all.slice(start, start + ROWS_MAX);
    await tx.query(
      `insert into allocation_assignment (plan_id, customer_id, action, held_out, probability, probability_source,
         value_minor, cost_minor, saved_minor)
       select $1, * from unnest($2::uuid[], $3::text[], $4::boolean[], $5::float8[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[])`,
      [
        planId,
        rows.map((row) => row.customerId),
        rows.map((row) => row.action),
        rows.map((row) => row.heldOut),
        rows.map((row) => row.probability),
        rows.map((row) => row.probabilitySource),
        rows.map((row) => row.valueMinor),
        rows.map((row) => row.costMinor),
        rows.map((row) => row.savedMinor),
      ],
    );
  }
}

export async function findPlan(database: Queryable, id: string): Promise<AllocationRow | null> {
  const [found] = await database.query<AllocationRow>(`${PLAN} where id = $1`, [id]);
  return found ?? null;
}

export async function lockPlan(tx: Tx, id: string): Promise<AllocationRow | null> {
  const [found] = await tx.query<AllocationRow>(`${PLAN} where id = $1 for update`, [id]);
  return found ?? null;
}

/** Plans, the newest first: their ids grow with time. */
export function listPlans(
  database: Queryable,
  { states, before, limit }: { states: readonly AllocationState[] | null; before: string | null; limit: number },
): Promise<AllocationRow[]> {
  return database.query<AllocationRow>(
    `${PLAN} where ($1::text[] is null or state = any($1)) and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [states, before, limit],
  );
}

export async function countPlans(database: Queryable, states: readonly AllocationState[] | null): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    'select count(*)::int as count from allocation_plan where $1::text[] is null or state = any($1)',
    [states],
  );
  return row?.count ?? 0;
}

/** Campaigns whose horizon is over. */
export async function duePlans(database: Queryable, at: Date): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `select id from allocation_plan where state = 'CONFIRMED' and due_at <= $1 order by due_at, id`,
    [at],
  );
  return rows.map(({ id }) => id);
}

export interface StateChange {
  readonly state: AllocationState;
  readonly confirmedAt?: Date;
  readonly dueAt?: Date;
  readonly measuredAt?: Date;
  readonly cancelledAt?: Date;
  readonly measurement?: Measurement;
}

export async function changeState(tx: Tx, id: string, change: StateChange): Promise<void> {
  await tx.query(
    `update allocation_plan set state = $2, confirmed_at = coalesce($3, confirmed_at), due_at = coalesce($4, due_at),
       measured_at = coalesce($5, measured_at), cancelled_at = coalesce($6, cancelled_at),
       measurement = coalesce($7::jsonb, measurement) where id = $1`,
    [
      id,
      change.state,
      change.confirmedAt ?? null,
      change.dueAt ?? null,
      change.measuredAt ?? null,
      change.cancelledAt ?? null,
      change.measurement === undefined ? null : JSON.stringify(change.measurement),
    ],
  );
}

export interface AssignmentFilter {
  readonly action?: string | null | undefined;
  readonly heldOut?: boolean | null | undefined;
}

/** What a plan picked, the most expected first: an index scan by plan, n = page size when nothing is filtered. */
export function listAssignments(
  database: Queryable,
  planId: string,
  { action, heldOut }: AssignmentFilter,
  { after, limit }: { after: { savedMinor: number; customerId: string } | null; limit: number },
): Promise<AssignmentRow[]> {
  return database.query<AssignmentRow>(
    `select customer_id as "customerId", action, held_out as "heldOut", probability, probability_source as "probabilitySource",
       value_minor as "valueMinor", cost_minor as "costMinor", saved_minor as "savedMinor", retained
     from allocation_assignment
     where plan_id = $1 and ($2::text is null or action = $2) and ($3::boolean is null or held_out = $3)
       and ($4::bigint is null or saved_minor < $4 or (saved_minor = $4 and customer_id > $5::uuid))
     order by saved_minor desc, customer_id limit $6`,
    [planId, action ?? null, heldOut ?? null, after?.savedMinor ?? null, after?.customerId ?? null, limit],
  );
}

export async function countAssignments(
  database: Queryable,
  planId: string,
  { action, heldOut }: AssignmentFilter,
): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `select count(*)::int as count from allocation_assignment
     where plan_id = $1 and ($2::text is null or action = $2) and ($3::boolean is null or held_out = $3)`,
    [planId, action ?? null, heldOut ?? null],
  );
  return row?.count ?? 0;
}

export async function customersOf(database: Queryable, planId: string): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    'select customer_id as id from allocation_assignment where plan_id = $1 order by customer_id',
    [planId],
  );
  return rows.map(({ id }) => id);
}

/** Notes who was still there. */
export async function noteRetained(tx: Tx, planId: string, gone: readonly string[]): Promise<void> {
  await tx.query('update allocation_assignment set retained = true where plan_id = $1', [planId]);
  await tx.query(
    'update allocation_assignment set retained = false where plan_id = $1 and customer_id = any($2::uuid[])',
    [planId, gone],
  );
}

/** What became of the customers of a plan, by action and side. */
export function armCounts(tx: Tx, planId: string): Promise<ArmCount[]> {
  return tx.query<ArmCount>(
    `select action, held_out as "heldOut", count(*)::int as customers, (count(*) filter (where retained))::int as retained,
       sum(value_minor)::bigint as "valueMinor", sum(case when held_out then 0 else cost_minor end)::bigint as "costMinor"
     from allocation_assignment where plan_id = $1 group by action, held_out order by action, held_out`,
    [planId],
  );
}

/**
 * Who was merged away lives on in another: what was picked for the one holds for the other, unless that one has its own. Done
 * twice, it does nothing.
 */
export async function mergeAssignments(tx: Tx, fromId: string, intoId: string): Promise<void> {
  await tx.query(
    `update allocation_assignment a set customer_id = $2 where customer_id = $1 and not exists (
       select from allocation_assignment other where other.plan_id = a.plan_id and other.customer_id = $2)`,
    [fromId, intoId],
  );
  await forgetAssignments(tx, [fromId]);
}

/** What was picked for customers who were erased goes with them; the sums of the plans stay. */
export async function forgetAssignments(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query('delete from allocation_assignment where customer_id = any($1::uuid[])', [customerIds]);
}
