import { DomainError } from '../../../src/core/errors.ts';

/** There is no such plan. */
export class AllocationNotFound extends DomainError {
  constructor(id: string) {
    super('VALUE_ALLOCATION_NOT_FOUND', 'There is no allocation of this id. See the query allocations.', {
      path: ['input', 'allocationId'],
      details: { id },
    });
  }
}

/** A plan is not in the state the change needs. */
export class AllocationStateConflict extends DomainError {
  constructor(what: string, state: string) {
    super('VALUE_ALLOCATION_STATE_CONFLICT', `The allocation is ${state}, so it cannot be ${what}.`, {
      path: ['input', 'allocationId'],
      details: { state },
    });
  }
}

/** Customers of a plan have come into another campaign since it was made. */
export class AllocationOverlap extends DomainError {
  readonly customers: number;
  constructor(customers: number) {
    super(
      'VALUE_ALLOCATION_OVERLAP',
      `${customers} customers of this plan are in another campaign by now, which would blur both measurements. Plan anew: customers of running campaigns are left out.`,
      { path: ['input', 'allocationId'], details: { customers } },
    );
    this.customers = customers;
  }
}

/** More customers were picked than one plan holds. */
export class AllocationTooLarge extends DomainError {
  constructor(customers: number, max: number) {
    super(
      'VALUE_ALLOCATION_TOO_LARGE',
      `${customers} customers would be picked, and one plan holds ${max} at most. Give a smaller budget or capacities.`,
      { path: ['input', 'budgetMinor'], details: { customers, max } },
    );
  }
}
