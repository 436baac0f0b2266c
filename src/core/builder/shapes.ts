import type { DomainError } from '../errors.ts';

/** A row of the customer graph: the id, and what was selected, under the names the fields read. */
export interface CustomerNode {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** An amount as modules hand it to the schema. */
export interface MoneyShape {
  readonly amountMinor: number;
  readonly currency: string;
}

/** Types that any module may name by a string: `t.field({ type: 'Customer' })`. */
export type NamedObjects = {
  Customer: CustomerNode;
  Money: MoneyShape;
};

/** Interfaces that any module may name by a string. */
export type NamedInterfaces = {
  DomainError: DomainError;
};
