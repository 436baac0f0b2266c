import { findPrices, upperBound } from './bound.ts';
import { type AllocationPicks, type AllocationProblem, isOpen, NONE, type Picks, placesOf } from './problem.ts';

/** Passes over what is left; each gains something or is the last. */
const PASSES_MAX = 8;

/** A change of a customer from the action before to a better one, with what it gains per unit of cost. */
interface Moves {
  readonly rows: Uint32Array;
  readonly actions: Uint8Array;
  /** The best first. */
  readonly order: Uint32Array;
}

/** A plan being made: who has what, and what is left. */
interface Draft {
  readonly actions: Int8Array;
  readonly room: Float64Array;
  leftMinor: number;
}

/**
 * Picks at most one action per customer, greedily by what each further unit of cost gains: a cheap action first, and the
 * dear one instead of it when the difference is worth more than what others offer (Sinha, Zoltners 1979: the greedy for the
 * multiple-choice knapsack). Actions that cannot serve all who want them have a price, so that their places go to whom they
 * help most; what is left is given away without prices.
 *
 * Where no capacity binds, the best plan gains at most one such step more, and at most twice as much. Where one does, `boundMinor`
 * tells how far it can be at most.
 */
export function pickActions(problem: AllocationProblem): AllocationPicks {
  const prices = findPrices(problem);
  const draft: Draft = {
    actions: new Int8Array(problem.customers).fill(NONE),
    room: Float64Array.from(problem.costs, (_, action) => placesOf(problem, action)),
    leftMinor: problem.budgetMinor,
  };
  take(problem, draft, movesOf(problem, draft, prices.places));
  const free = new Float64Array(problem.costs.length);
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    if (!take(problem, draft, movesOf(problem, draft, free))) break;
  }
  const picks = betterOf(sumUp(problem, draft.actions), bestSingle(problem));
  return { ...picks, boundMinor: upperBound(problem, prices, picks.gainMinor) };
}

const gainOf = ({ gains, costs }: AllocationProblem, row: number, action: number): number =>
  action === NONE ? 0 : (gains[row * costs.length + action] as number);

const costOf = ({ costs }: AllocationProblem, action: number): number =>
  action === NONE ? 0 : (costs[action] as number);

/**
 * The steps of each customer from what it has: the upper hull of gain over cost, so that each step gains less per unit than
 * the one before. Actions that the rest of the budget cannot reach or that are full are left out.
 * @param places price of a place in each action, taken off its gain
 */
function movesOf(problem: AllocationProblem, draft: Draft, places: Float64Array): Moves {
  const { customers, costs } = problem;
  const byCost = costs
    .map((_, action) => action)
    .filter((action) => isOpen(problem, action) && (draft.room[action] as number) > 0)
    .sort((a, b) => (costs[a] as number) - (costs[b] as number));
  const rows = new Uint32Array(customers * byCost.length);
  const actions = new Uint8Array(rows.length);
  const rates = new Float64Array(rows.length);
  const hull = new Int8Array(byCost.length + 1);
  let count = 0;
  const paid = (row: number, action: number) =>
    gainOf(problem, row, action) - (action === NONE ? 0 : (places[action] as number));
  const rate = (row: number, from: number, to: number) => {
    const cost = costOf(problem, to) - costOf(problem, from);
    return cost <= 0 ? Infinity : (paid(row, to) - paid(row, from)) / cost;
  };
  for (let row = 0; row < customers; row++) {
    const now = draft.actions[row] as number;
    const reach = costOf(problem, now) + draft.leftMinor;
    let size = 1;
    hull[0] = now;
    for (const action of byCost) {
      if (costOf(problem, action) > reach) break;
      if (action === now || gainOf(problem, row, action) <= gainOf(problem, row, now)) continue;
      if (paid(row, action) <= paid(row, hull[size - 1] as number)) continue;
      while (
        size > 1 &&
        rate(row, hull[size - 1] as number, action) >= rate(row, hull[size - 2] as number, hull[size - 1] as number)
      ) {
        size--;
      }
      hull[size++] = action;
    }
    for (let at = 1; at < size; at++) {
      rows[count] = row;
      actions[count] = hull[at] as number;
      rates[count++] = rate(row, hull[at - 1] as number, hull[at] as number);
    }
  }
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  order.sort((a, b) => {
    const [one, two] = [rates[a] as number, rates[b] as number];
    return one === two ? a - b : two - one;
  });
  return { rows, actions, order };
}

/** Makes the moves that still fit, in their order. @returns whether any did */
function take(problem: AllocationProblem, draft: Draft, { rows, actions, order }: Moves): boolean {
  let moved = false;
  for (const at of order) {
    const row = rows[at] as number;
    const to = actions[at] as number;
    const from = draft.actions[row] as number;
    const cost = costOf(problem, to) - costOf(problem, from);
    if (cost > draft.leftMinor || (draft.room[to] as number) < 1) continue;
    if (gainOf(problem, row, to) <= gainOf(problem, row, from)) continue;
    draft.actions[row] = to;
    draft.leftMinor -= cost;
    draft.room[to] = (draft.room[to] as number) - 1;
    if (from !== NONE) draft.room[from] = (draft.room[from] as number) + 1;
    moved = true;
  }
  return moved;
}

/** The one customer and action that gain most: what keeps the greedy from losing half where one dear action is all that counts. */
function bestSingle(problem: AllocationProblem): Picks {
  const count = problem.costs.length;
  const actions = new Int8Array(problem.customers).fill(NONE);
  let best = 0;
  let place = -1;
  for (let at = 0; at < problem.gains.length; at++) {
    if ((problem.gains[at] as number) > best && isOpen(problem, at % count)) {
      best = problem.gains[at] as number;
      place = at;
    }
  }
  if (place >= 0) actions[Math.floor(place / count)] = place % count;
  return sumUp(problem, actions);
}

const betterOf = (one: Picks, two: Picks): Picks => (two.gainMinor > one.gainMinor ? two : one);

function sumUp(problem: AllocationProblem, actions: Int8Array): Picks {
  let gainMinor = 0;
  let costMinor = 0;
  for (const [row, action] of actions.entries()) {
    gainMinor += gainOf(problem, row, action);
    costMinor += costOf(problem, action);
  }
  return { actions, gainMinor, costMinor };
}
