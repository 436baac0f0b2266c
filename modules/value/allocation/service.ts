import { audit } from '../../../src/core/audit.ts';
import { actorName, type Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { IdempotencyConflict, InvalidInput } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { claimKeys, findKeys, hashInput, storeAnswers } from '../../../src/core/idempotency.ts';
import { newId } from '../../../src/core/ids.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { type ActionOverride, planActions } from './domain/actions.ts';
import { type Lift, measureLift, noLift } from './domain/lift.ts';
import { AllocationNotFound, AllocationOverlap, AllocationStateConflict } from './errors.ts';
import { allocationPlanned, campaignCancelled, campaignConfirmed, campaignMeasured } from './events.ts';
import { inParts, makePlan } from './planning.ts';
import type { AllocationPorts } from './ports.ts';
import { ACTIONS, ALLOCATION } from './settings.ts';
import {
  type AllocationRow,
  type AllocationState,
  type AllocationTerms,
  type AssignmentFilter,
  type AssignmentRow,
  armCounts,
  changeState,
  countAssignments,
  countOverlap,
  countPlans,
  customersOf,
  duePlans,
  findPlan,
  insertAssignments,
  insertPlan,
  listAssignments,
  listPlans,
  lockPlan,
  noteRetained,
} from './store.ts';

/** Lock number of confirmations: one at a time, so that no two campaigns get the same customer. */
const CONFIRM_LOCK = 0x43414d50; // "CAMP"
const DAY_MS = 86_400_000;

export interface PlanAllocationInput {
  readonly idempotencyKey: string;
  readonly name: string;
  readonly budgetMinor: number;
  readonly horizonDays?: number | null | undefined;
  readonly assumedProbability?: number | null | undefined;
  readonly holdoutShare?: number | null | undefined;
  readonly seed?: number | null | undefined;
  readonly actions?: readonly ActionOverride[] | null | undefined;
}

export interface ChangeAllocationInput {
  readonly idempotencyKey: string;
  readonly allocationId: string;
}

export interface AllocationService {
  /** @throws InvalidInput, IdempotencyConflict, AllocationTooLarge */
  plan(call: Call, input: PlanAllocationInput): Promise<AllocationRow>;
  /** @throws AllocationNotFound, AllocationStateConflict, AllocationOverlap, IdempotencyConflict */
  confirm(call: Call, input: ChangeAllocationInput): Promise<AllocationRow>;
  /** @throws AllocationNotFound, AllocationStateConflict, IdempotencyConflict */
  cancel(call: Call, input: ChangeAllocationInput): Promise<AllocationRow>;
  /** Measures every campaign whose horizon is over. @returns how many */
  measureDue(call: Call, signal?: AbortSignal): Promise<number>;
  find(id: string): Promise<AllocationRow | null>;
  list(options: Parameters<typeof listPlans>[1]): Promise<AllocationRow[]>;
  count(states: readonly AllocationState[] | null): Promise<number>;
  assignments(
    planId: string,
    filter: AssignmentFilter,
    page: Parameters<typeof listAssignments>[3],
  ): Promise<AssignmentRow[]>;
  countAssignments(planId: string, filter: AssignmentFilter): Promise<number>;
}

/** The measured lift of a plan or of one of its actions; before that, why there is none. */
export function liftOf({ state, measurement }: AllocationRow, action: string | null): Lift {
  if (measurement !== null) {
    return (action === null ? measurement.all : measurement.byAction[action]) ?? noLift('NO_HOLDOUT');
  }
  if (state === 'CANCELLED') return noLift('CANCELLED');
  return noLift(state === 'DRAFT' ? 'NOT_CONFIRMED' : 'HORIZON_NOT_OVER');
}

export function createAllocationService(infra: Infrastructure, ports: AllocationPorts): AllocationService {
  const { database, settings, clock, systemClock } = infra;
  const known = async (id: string): Promise<AllocationRow> => (await findPlan(database, id)) as AllocationRow;

  /** Changes a locked plan once per key and answers it as it is then. */
  const change = async (
    call: Call,
    verb: 'confirmCampaign' | 'cancelCampaign',
    { idempotencyKey: key, allocationId }: ChangeAllocationInput,
    run: (tx: Tx, plan: AllocationRow) => Promise<void>,
  ): Promise<AllocationRow> => {
    const scope = `value.${verb}`;
    await database.transaction(async (tx) => {
      const [claim] = await claimKeys(tx, scope, [{ key, hash: hashInput({ allocationId }) }]);
      if (claim?.kind === 'conflict') throw new IdempotencyConflict(key);
      if (claim?.kind === 'replay') return;
      if (verb === 'confirmCampaign') await tx.query('select pg_advisory_xact_lock($1)', [CONFIRM_LOCK]);
      const plan = await lockPlan(tx, allocationId);
      if (plan === null) throw new AllocationNotFound(allocationId);
      await run(tx, plan);
      await audit(tx, call, systemClock, { action: scope, subject: allocationId, detail: { from: plan.state } });
      await storeAnswers(tx, scope, [{ key, answer: { id: allocationId } }]);
    });
    return known(allocationId);
  };

  const measure = async (call: Call, id: string): Promise<boolean> => {
    const plan = await findPlan(database, id);
    if (plan?.state !== 'CONFIRMED' || plan.dueAt === null) return false;
    const due = plan.dueAt;
    const customers = await customersOf(database, id);
    const gone = await inParts(customers, (part) => ports.presence.goneAt(part, due));
    return database.transaction(async (tx) => {
      const locked = await lockPlan(tx, id);
      if (locked?.state !== 'CONFIRMED') return false;
      await noteRetained(
        tx,
        id,
        gone.flatMap((part) => [...part]),
      );
      const arms = await armCounts(tx, id);
      const rule = { minimum: plan.terms.minimumPerSide, level: plan.terms.level };
      const all = measureLift(arms, rule);
      const byAction = Object.fromEntries(
        plan.actions.map(({ key }) => [
          key,
          measureLift(
            arms.filter(({ action }) => action === key),
            rule,
          ),
        ]),
      );
      await changeState(tx, id, { state: 'MEASURED', measuredAt: clock.now(), measurement: { all, byAction } });
      const payload = {
        allocationId: id,
        difference: all.difference?.estimate ?? null,
        savedMinor: all.savedMinor?.estimate ?? null,
      };
      await audit(tx, call, systemClock, { action: 'value.measureCampaign', subject: id, detail: payload });
      await appendEvents(tx, call, clock, [newEvent(campaignMeasured, { customerId: null, payload })]);
      return true;
    });
  };

  return {
    async plan(call, { idempotencyKey: key, ...input }) {
      const scope = 'value.planAllocation';
      const item = { key, hash: hashInput(input) };
      // A repeated request must not plan again, and planning is too long for a transaction.
      const [before] = await database.transaction((tx) => findKeys<{ id: string }>(tx, scope, [item]));
      if (before?.kind === 'conflict') throw new IdempotencyConflict(key);
      if (before?.kind === 'replay') return known(before.answer.id);
      const id = newId();
      const { reportingCurrency: currency, grossMargin } = await settings.get(BUSINESS);
      const terms = await termsOf(input, id);
      const actions = planActions(await settings.get(ACTIONS), input.actions ?? [], currency);
      const { budgetMinor } = input;
      const now = clock.now();
      const made = await makePlan(database, ports, {
        currency,
        budgetMinor,
        actions,
        terms: { ...terms, grossMargin },
        at: now,
      });
      const answered = await database.transaction(async (tx) => {
        const [claim] = await claimKeys<{ id: string }>(tx, scope, [item]);
        if (claim?.kind === 'conflict') throw new IdempotencyConflict(key);
        if (claim?.kind === 'replay') return claim.answer.id;
        const { assignments, ...rest } = made;
        await insertPlan(tx, {
          id,
          name: input.name,
          state: 'DRAFT',
          createdAt: now,
          createdBy: actorName(call.actor),
          currency,
          budgetMinor,
          terms: { ...terms, grossMargin },
          ...rest,
        });
        await insertAssignments(tx, id, assignments);
        const { picked, heldOut } = rest.totals;
        const payload = {
          allocationId: id,
          currency,
          budgetMinor,
          customers: picked.customers,
          heldOut: heldOut.customers,
          savedMinor: picked.savedMinor,
        };
        await audit(tx, call, systemClock, { action: scope, subject: id, detail: payload });
        await appendEvents(tx, call, clock, [newEvent(allocationPlanned, { customerId: null, payload })]);
        await storeAnswers(tx, scope, [{ key, answer: { id } }]);
        return id;
      });
      return known(answered);
    },

    confirm: (call, input) =>
      change(call, 'confirmCampaign', input, async (tx, plan) => {
        if (plan.state !== 'DRAFT') throw new AllocationStateConflict('confirmed', plan.state);
        const overlap = await countOverlap(tx, plan.id);
        if (overlap > 0) throw new AllocationOverlap(overlap);
        const confirmedAt = clock.now();
        const dueAt = new Date(confirmedAt.getTime() + plan.terms.horizonDays * DAY_MS);
        await changeState(tx, plan.id, { state: 'CONFIRMED', confirmedAt, dueAt });
        const { picked, heldOut } = plan.totals;
        const payload = {
          allocationId: plan.id,
          currency: plan.currency,
          budgetMinor: plan.budgetMinor,
          treated: picked.customers - heldOut.customers,
          heldOut: heldOut.customers,
          dueAt: dueAt.toISOString(),
        };
        await appendEvents(tx, call, clock, [newEvent(campaignConfirmed, { customerId: null, payload })]);
      }),

    cancel: (call, input) =>
      change(call, 'cancelCampaign', input, async (tx, plan) => {
        if (plan.state !== 'DRAFT' && plan.state !== 'CONFIRMED')
          throw new AllocationStateConflict('cancelled', plan.state);
        await changeState(tx, plan.id, { state: 'CANCELLED', cancelledAt: clock.now() });
        const payload = { allocationId: plan.id, wasConfirmed: plan.state === 'CONFIRMED' };
        await appendEvents(tx, call, clock, [newEvent(campaignCancelled, { customerId: null, payload })]);
      }),

    async measureDue(call, signal) {
      let measured = 0;
      for (const id of await duePlans(database, clock.now())) {
        signal?.throwIfAborted();
        if (await measure(call, id)) measured++;
      }
      return measured;
    },

    find: (id) => findPlan(database, id),
    list: (options) => listPlans(database, options),
    count: (states) => countPlans(database, states),
    assignments: (planId, filter, page) => listAssignments(database, planId, filter, page),
    countAssignments: (planId, filter) => countAssignments(database, planId, filter),
  };

  async function termsOf(
    input: Omit<PlanAllocationInput, 'idempotencyKey'>,
    id: string,
  ): Promise<Omit<AllocationTerms, 'grossMargin'>> {
    const inRange = (value: number, low: number, high: number, field: string) => {
      if (value >= low && value <= high) return value;
      throw new InvalidInput(`${field} is ${value}; it must lie between ${low} and ${high}.`, {
        path: ['input', field],
      });
    };
    const { valueMethod, stratified, minimumPerSide, level, ...defaults } = await settings.get(ALLOCATION);
    inRange(input.budgetMinor, 1, Number.MAX_SAFE_INTEGER, 'budgetMinor');
    inRange(input.name.length, 1, 200, 'name');
    const assumed = input.assumedProbability ?? null;
    return {
      horizonDays: inRange(input.horizonDays ?? defaults.horizonDays, 1, 730, 'horizonDays'),
      assumedProbability: assumed === null ? null : inRange(assumed, 0, 1, 'assumedProbability'),
      holdoutShare: inRange(input.holdoutShare ?? defaults.holdoutShare, 0, 0.5, 'holdoutShare'),
      // The random part of the id: another plan holds out others.
      seed: inRange(input.seed ?? Number.parseInt(id.slice(-12), 16), 0, Number.MAX_SAFE_INTEGER, 'seed'),
      valueMethod,
      stratified,
      minimumPerSide,
      level,
    };
  }
}
