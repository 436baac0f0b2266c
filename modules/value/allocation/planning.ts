import type { Queryable } from '../../../src/core/database/index.ts';
import { beside } from '../worker.ts';
import type { PlannedAction } from './domain/actions.ts';
import { type Candidate, candidatesOf, expectedSavedMinor, type Population, problemOf } from './domain/candidates.ts';
import { holdOut } from './domain/holdout.ts';
import { NONE } from './domain/problem.ts';
import { AllocationTooLarge } from './errors.ts';
import type { AllocationPorts } from './ports.ts';
import {
  type ActionPicks,
  type AllocationTerms,
  type AllocationTotals,
  type AssignmentRow,
  customersInCampaigns,
  expectedValues,
  type PickSums,
} from './store.ts';

/** Customers of one plan: they are written in one transaction. */
const PICKS_MAX = 200_000;
/** Customers asked about in one call of a port. */
const ASKED_AT_ONCE = 10_000;

export interface PlanInput {
  readonly currency: string;
  readonly budgetMinor: number;
  readonly actions: readonly PlannedAction[];
  readonly terms: AllocationTerms;
  readonly at: Date;
}

export interface MadePlan {
  readonly actions: readonly ActionPicks[];
  readonly population: Population;
  readonly totals: AllocationTotals;
  readonly assignments: readonly Omit<AssignmentRow, 'retained'>[];
}

/** Asks a port in parts. */
export async function inParts<T>(
  ids: readonly string[],
  ask: (part: readonly string[]) => Promise<T>,
): Promise<readonly T[]> {
  const answers: T[] = [];
  for (let start = 0; start < ids.length; start += ASKED_AT_ONCE) {
    answers.push(await ask(ids.slice(start, start + ASKED_AT_ONCE)));
  }
  return answers;
}

/**
 * Reads what is known of all customers, picks, and holds out.
 * @throws AllocationTooLarge
 */
export async function makePlan(database: Queryable, ports: AllocationPorts, input: PlanInput): Promise<MadePlan> {
  const { terms, actions } = input;
  const values = await expectedValues(database, terms.valueMethod, input.currency);
  const ids = values.map(({ customerId }) => customerId);
  const { leaving } = ports;
  const [inCampaign, gone, predicted] = await Promise.all([
    customersInCampaigns(database),
    inParts(ids, (part) => ports.presence.goneAt(part, input.at)),
    leaving === null ? [] : inParts(ids, (part) => leaving.probabilities(part)),
  ]);
  const { candidates, population } = candidatesOf(
    {
      values,
      inCampaign,
      gone: new Set(gone.flatMap((part) => [...part])),
      predictions: new Map(predicted.flatMap((part) => [...part])),
      assumedProbability: terms.assumedProbability,
      grossMargin: terms.grossMargin,
    },
    actions,
  );
  const problem = problemOf(candidates, actions, input.budgetMinor);
  const picks = await beside('picks', [problem], problem.gains.length);
  const picked: { candidate: Candidate; action: number }[] = [];
  for (const [row, action] of picks.actions.entries()) {
    if (action !== NONE) picked.push({ candidate: candidates[row] as Candidate, action });
  }
  if (picked.length > PICKS_MAX) throw new AllocationTooLarge(picked.length, PICKS_MAX);
  const strata = picked.map(({ action }) => (terms.stratified ? action : 0));
  const held = holdOut(strata, terms.holdoutShare, terms.seed);
  const assignments = picked.map(({ candidate, action }, at) => {
    const { key, costMinor } = actions[action] as PlannedAction;
    return {
      customerId: candidate.customerId,
      action: key,
      heldOut: held[at] === 1,
      probability: candidate.probability,
      probabilitySource: candidate.source,
      valueMinor: candidate.valueMinor,
      costMinor,
      savedMinor: expectedSavedMinor(candidate, actions[action] as PlannedAction),
    };
  });
  const sums = sumsOf(assignments);
  return {
    population,
    assignments,
    totals: { ...sums(() => true), boundMinor: picks.boundMinor },
    actions: actions.map((action) => ({ ...action, ...sums((row) => row.action === action.key) })),
  };
}

type Assigned = Omit<AssignmentRow, 'retained'>;

/** Sums over those of the assignments that are wanted, all and held out. */
const sumsOf = (all: readonly Assigned[]) => (wanted: (row: Assigned) => boolean) => {
  const rows = all.filter(wanted);
  return { picked: sum(rows), heldOut: sum(rows.filter(({ heldOut }) => heldOut)) };
};

function sum(rows: readonly Assigned[]): PickSums {
  const total = { customers: rows.length, costMinor: 0, savedMinor: 0, valueMinor: 0 };
  for (const row of rows) {
    total.costMinor += row.costMinor;
    total.savedMinor += row.savedMinor;
    total.valueMinor += row.valueMinor;
  }
  return total;
}
