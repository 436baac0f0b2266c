import { findPrices, pricesOf, upperBound } from './bound.ts';
import {
  type AllocationPicks,
  type AllocationProblem,
  isOpen,
  NONE,
  type Picks,
  type Prices,
  placesOf,
} from './problem.ts';

/** Passes over what is left; each gains something or is the last. */
const PASSES_MAX = 8;

/** Changes of customers to another action, with the order in which they are to be made. */
interface Moves {
  readonly rows: Uint32Array;
  readonly actions: Uint8Array;
  readonly order: Uint32Array;
}

/** A plan being made: who has what, and what is left. */
interface Draft {
  readonly actions: Int8Array;
  readonly room: Float64Array;
  leftMinor: number;
}

/**
 * Picks at most one action per customer: first what each would take at the prices of budget and places, then greedily by what
 * each further unit of cost gains: a cheap action first, and the dear one instead of it when the difference is worth more than
 * what others offer (Sinha, Zoltners 1979: the greedy for the multiple-choice knapsack, whose first steps the prices stand for).
 *
 * Where no capacity binds, the best plan gains at most one such step more, and at most twice as much. Where one does,
 * `boundMinor` tells how far it can be at most.
 */
export function pickActions(problem: AllocationProblem): AllocationPicks {
  const prices = findPrices(problem);
  const draft: Draft = {
    actions: new Int8Array(problem.customers).fill(NONE),
    room: Float64Array.from(problem.costs, (_, action) => placesOf(problem, action)),
    leftMinor: problem.budgetMinor,
  };
  take(problem, draft, wishesOf(problem, prices));
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    if (!take(problem, draft, movesOf(problem, draft))) break;
  }
  const picks = betterOf(sumUp(problem, draft.actions), bestSingle(problem));
  return { ...picks, boundMinor: upperBound(problem, prices, picks.gainMinor) };
}

const gainOf = ({ gains, costs }: AllocationProblem, row: number, action: number): number =>
  action === NONE ? 0 : (gains[row * costs.length + action] as number);

const costOf = ({ costs }: AllocationProblem, action: number): number =>
  action === NONE ? 0 : (costs[action] as number);

/** What each customer would take at the prices; those first who would lose most without it, so that who is refused loses little. */
function wishesOf(problem: AllocationProblem, prices: Prices): Moves {
  const { customers, costs, gains } = problem;
  const paid = pricesOf(problem, prices);
  const moves = createMoves(customers);
  for (let row = 0; row < customers; row++) {
    let best = 0;
    let second = 0;
    let wish = NONE;
    for (let action = 0; action < costs.length; action++) {
      const left = (gains[row * costs.length + action] as number) - (paid[action] as number);
      if (left > best) {
        second = best;
        best = left;
        wish = action;
      } else if (left > second) second = left;
    }
    if (wish !== NONE) moves.add(row, wish, best - second);
  }
  return moves.sorted();
}

/**
 * The steps of each customer from what it has: the upper hull of gain over cost, so that each step gains less per unit than
 * the one before. Actions that the rest of the budget cannot reach or that are full are left out.
 */
function movesOf(problem: AllocationProblem, draft: Draft): Moves {
  const { customers, costs } = problem;
  const byCost = costs
    .map((_, action) => action)
    .filter((action) => isOpen(problem, action) && (draft.room[action] as number) > 0)
    .sort((a, b) => (costs[a] as number) - (costs[b] as number));
  const moves = createMoves(customers * byCost.length);
  const hull = new Int8Array(byCost.length + 1);
  const rate = (row: number, from: number, to: number) => {
    const cost = costOf(problem, to) - costOf(problem, from);
    return cost <= 0 ? Infinity : (gainOf(problem, row, to) - gainOf(problem, row, from)) / cost;
  };
  for (let row = 0; row < customers; row++) {
    const now = draft.actions[row] as number;
    const reach = costOf(problem, now) + draft.leftMinor;
    let size = 1;
    hull[0] = now;
    for (const action of byCost) {
      if (costOf(problem, action) > reach) break;
      if (gainOf(problem, row, action) <= gainOf(problem, row, hull[size - 1] as number)) continue;
      while (
        size > 1 &&
        rate(row, hull[size - 1] as number, action) >= rate(row, hull[size - 2] as number, hull[size - 1] as number)
      ) {
        size--;
      }
      hull[size++] = action;
    }
    for (let at = 1; at < size; at++) {
      moves.add(row, hull[at] as number, rate(row, hull[at - 1] as number, hull[at] as number));
    }
  }
  return moves.sorted();
}

/** A list of moves that grows up to `most` and is then put in order, the highest rank first. */
function createMoves(most: number) {
  const rows = new Uint32Array(most);
  const actions = new Uint8Array(most);
  const ranks = new Float64Array(most);
  let count = 0;
  return {
    add(row: number, action: number, rank: number) {
      rows[count] = row;
      actions[count] = action;
      ranks[count++] = rank;
    },
    sorted(): Moves {
      const order = Uint32Array.from({ length: count }, (_, at) => at);
      order.sort((a, b) => {
        const [one, two] = [ranks[a] as number, ranks[b] as number];
        return one === two ? a - b : two - one;
      });
      return { rows, actions, order };
    },
  };
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
