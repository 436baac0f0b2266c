import { type AllocationProblem, isOpen, type Prices, placesOf } from './problem.ts';

/** Rounds over all prices, one after the other; a handful suffices where customers are many. */
const ROUNDS = 12;
/** Looks at what is spent at a price, at most, to find the price of budget. */
const LOOKS_MAX = 60;
/** Steps along the subgradient, which leave the corners at which single prices are stuck: as many as look at so many customers. */
const DESCENT_ROWS = 1_000_000;
const DESCENTS_MIN = 8;
const DESCENTS_MAX = 200;
/** Prices are found on so many customers first: their minimum is flat, so that these already tell it well. */
const SAMPLE_MAX = 8_192;
/** Sums of floats may be off by so much of their size. */
const SUM_TOLERANCE = 1e-10;

interface Evaluation {
  /** No plan can gain more. */
  readonly bound: number;
  readonly spent: number;
  readonly used: Float64Array;
}

/** What a customer pays for each action; nobody can pay for one that is closed. */
export const pricesOf = (problem: AllocationProblem, { budget, places }: Prices): Float64Array =>
  Float64Array.from(problem.costs, (cost, action) =>
    isOpen(problem, action) ? budget * cost + (places[action] as number) : Infinity,
  );

/**
 * The Lagrangian dual at given prices: budget and places are sold at their price, and each customer takes what gains most
 * after paying. At any prices it is an upper bound of every plan (Geoffrion 1974); at the best prices it is the optimum
 * of the relaxed problem, in which customers may be divided.
 */
function evaluate(problem: AllocationProblem, { budget, places }: Prices): Evaluation {
  const { customers, costs, gains } = problem;
  const count = costs.length;
  const prices = pricesOf(problem, { budget, places });
  const used = new Float64Array(count);
  let bound = budget * problem.budgetMinor;
  for (let action = 0; action < count; action++) {
    if (isOpen(problem, action)) bound += (places[action] as number) * placesOf(problem, action);
  }
  let spent = 0;
  for (let row = 0, at = 0; row < customers; row++) {
    let best = 0;
    let taken = -1;
    for (let action = 0; action < count; action++, at++) {
      const left = (gains[at] as number) - (prices[action] as number);
      if (left > best) {
        best = left;
        taken = action;
      }
    }
    if (taken < 0) continue;
    bound += best;
    spent += costs[taken] as number;
    used[taken] = (used[taken] as number) + 1;
  }
  return { bound, spent, used };
}

/**
 * The price of budget that is best at given prices of places: what is spent falls as it rises. Found between two prices, one
 * too low and one too high, by the Illinois rule (Dowell, Jarratt 1971).
 */
function budgetPrice(problem: AllocationProblem, places: Float64Array, guess: number): number {
  const overAt = (budget: number) => evaluate(problem, { budget, places }).spent - problem.budgetMinor;
  let low = 0;
  let over = overAt(0);
  if (over <= 0) return 0;
  let high = guess > 0 ? guess : 1;
  let under = overAt(high);
  while (under > 0) {
    low = high;
    over = under;
    high *= 2;
    under = overAt(high);
  }
  const step = Math.max(...problem.costs);
  let underNow = under;
  for (let look = 0; look < LOOKS_MAX && high - low > 1e-12 * high && underNow < -step; look++) {
    const between = low + ((high - low) * over) / (over - under);
    // Where what is spent falls by a jump, the rule creeps: every fourth look halves.
    const budget = look % 4 === 3 || !(between > low && between < high) ? (low + high) / 2 : between;
    const now = overAt(budget);
    if (now > 0) {
      low = budget;
      over = now;
      under /= 2;
    } else {
      high = budget;
      under = now;
      underNow = now;
      over /= 2;
    }
  }
  return high;
}

/** The price of a place in one action that is best at the other prices: what the first customer without a place would give. */
function placePrice(problem: AllocationProblem, { budget, places }: Prices, action: number): number {
  const { customers, costs, gains } = problem;
  const count = costs.length;
  const prices = pricesOf(problem, { budget, places });
  const offers = new Float64Array(customers);
  let offered = 0;
  for (let row = 0; row < customers; row++) {
    let other = 0;
    for (let at = 0; at < count; at++) {
      if (at === action) continue;
      other = Math.max(other, (gains[row * count + at] as number) - (prices[at] as number));
    }
    const offer = (gains[row * count + action] as number) - budget * (costs[action] as number) - other;
    if (offer > 0) offers[offered++] = offer;
  }
  const room = placesOf(problem, action);
  if (offered <= room) return 0;
  return offers.subarray(0, offered).sort()[offered - 1 - room] as number;
}

/** Lowers the dual price by price until nothing moves. */
function lowerByTurns(problem: AllocationProblem, start: Prices, rounds: number): Prices {
  const scarce = problem.capacities.flatMap((capacity, action) =>
    capacity !== null && isOpen(problem, action) ? [action] : [],
  );
  const places = start.places.slice();
  let budget = budgetPrice(problem, places, start.budget);
  let before = evaluate(problem, { budget, places }).bound;
  for (let round = 0; round < rounds && scarce.length > 0; round++) {
    for (const action of scarce) places[action] = placePrice(problem, { budget, places }, action);
    budget = budgetPrice(problem, places, budget);
    const { bound } = evaluate(problem, { budget, places });
    if (before - bound <= 1e-9 * bound) break;
    before = bound;
  }
  return { budget, places };
}

/** Every n-th customer, with as much less budget and places; the problem itself when it is small. */
function sampleOf(problem: AllocationProblem): AllocationProblem {
  const stride = Math.ceil(problem.customers / SAMPLE_MAX);
  if (stride <= 1) return problem;
  const count = problem.costs.length;
  const customers = Math.ceil(problem.customers / stride);
  const gains = new Float64Array(customers * count);
  for (let row = 0; row < customers; row++) {
    const from = row * stride * count;
    gains.set(problem.gains.subarray(from, from + count), row * count);
  }
  const share = customers / problem.customers;
  const capacities = problem.capacities.map((capacity) => (capacity === null ? null : Math.round(capacity * share)));
  return { ...problem, customers, gains, capacities, budgetMinor: problem.budgetMinor * share };
}

/** Prices at which the dual is near its least. */
export function findPrices(problem: AllocationProblem): Prices {
  const none: Prices = { budget: 0, places: new Float64Array(problem.costs.length) };
  const sample = sampleOf(problem);
  const first = lowerByTurns(sample, none, ROUNDS);
  return sample === problem ? first : lowerByTurns(problem, first, 1);
}

/**
 * The least bound that was found, in whole minor units: no plan gains more.
 * @param reached what a plan gains: the bound cannot fall below it, which sets the length of the steps (Polyak 1969)
 */
export function upperBound(problem: AllocationProblem, start: Prices, reached: number): number {
  const { costs, budgetMinor } = problem;
  // Budget counted in customers, so that both kinds of price move alike.
  const unit = costs.reduce((sum, cost) => sum + cost, 0) / costs.length || 1;
  const descents = Math.min(DESCENTS_MAX, Math.max(DESCENTS_MIN, DESCENT_ROWS / problem.customers));
  let prices = start;
  let least = Infinity;
  for (let step = 0; step <= descents; step++) {
    const { bound, spent, used } = evaluate(problem, prices);
    least = Math.min(least, bound);
    if (least - reached < 1) break;
    const budgetSlope = prices.budget === 0 && spent <= budgetMinor ? 0 : (budgetMinor - spent) / unit;
    const slopes = prices.places.map((price, action) => {
      if (problem.capacities[action] === null || !isOpen(problem, action)) return 0;
      const slope = placesOf(problem, action) - (used[action] as number);
      return price === 0 && slope >= 0 ? 0 : slope;
    });
    const steepness = budgetSlope ** 2 + slopes.reduce((sum, slope) => sum + slope ** 2, 0);
    if (steepness === 0) break;
    const length = (bound - reached) / 2 / steepness;
    prices = {
      budget: Math.max(0, prices.budget - (length * budgetSlope) / unit),
      places: prices.places.map((price, action) => Math.max(0, price - length * (slopes[action] as number))),
    };
  }
  return Math.max(reached, Math.floor(least + 1e-6 + SUM_TOLERANCE * least));
}
