/** Who could get which action: at most one action per customer, within a budget and the capacity of each action. */
export interface AllocationProblem {
  readonly customers: number;
  /** What an action costs per customer, in minor units, at least 0. */
  readonly costs: readonly number[];
  /** How many customers an action can serve; null when there is no end to it. */
  readonly capacities: readonly (number | null)[];
  readonly budgetMinor: number;
  /** What an action is expected to save of a customer less its cost, in whole minor units: `gains[customer * actions + action]`. */
  readonly gains: Float64Array;
}

/** No action. */
export const NONE = -1;

/** An action for each customer, or NONE. */
export interface Picks {
  readonly actions: Int8Array;
  readonly gainMinor: number;
  readonly costMinor: number;
}

/** Picks with what no plan can exceed. */
export interface AllocationPicks extends Picks {
  readonly boundMinor: number;
}

/** Prices of what is scarce: of a unit of budget, and of a place in each action. They make the bound and steer the picks. */
export interface Prices {
  readonly budget: number;
  readonly places: Float64Array;
}

/** How many places an action has: no more than there are customers. */
export const placesOf = (problem: AllocationProblem, action: number): number =>
  Math.min(problem.capacities[action] ?? problem.customers, problem.customers);

/** Whether an action can be picked at all: it has a place, and the budget covers one customer. */
export const isOpen = (problem: AllocationProblem, action: number): boolean =>
  placesOf(problem, action) > 0 && (problem.costs[action] as number) <= problem.budgetMinor;
