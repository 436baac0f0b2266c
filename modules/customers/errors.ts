import { DomainError } from '../../src/core/errors.ts';

/** No customer has this id or external id, nor ever had. */
export class CustomerNotFound extends DomainError {
  constructor(name: { readonly id?: string; readonly externalId?: string }, path: readonly string[]) {
    const what = name.externalId === undefined ? `the id ${name.id}` : `the external id "${name.externalId}"`;
    super('CUSTOMERS_NOT_FOUND', `There is no customer with ${what}. Create it with upsertCustomers first.`, {
      path,
      details: { ...name },
    });
  }
}

/** The external id belongs to another customer. */
export class ExternalIdTaken extends DomainError {
  constructor(externalId: string, path: readonly string[]) {
    super(
      'CUSTOMERS_EXTERNAL_ID_TAKEN',
      `The external id "${externalId}" belongs to another customer. Merge the two, or choose another external id.`,
      { path, details: { externalId } },
    );
  }
}

/** A record with this external id belongs to another customer. */
export class RecordOfOtherCustomer extends DomainError {
  constructor(what: string, externalId: string, path: readonly string[]) {
    super(
      'CUSTOMERS_RECORD_OF_OTHER_CUSTOMER',
      `The ${what} "${externalId}" belongs to another customer; records do not change hands. Merge the two customers, or use another external id.`,
      { path, details: { externalId } },
    );
  }
}

/** The customer's personal data was removed: nothing can be added. */
export class CustomerErased extends DomainError {
  constructor(id: string, path: readonly string[]) {
    super('CUSTOMERS_ERASED', 'The personal data of this customer was erased; it takes no more data.', {
      path,
      details: { id },
    });
  }
}

/** Amounts of two currencies meet where only one may stand. */
export class CurrencyMismatch extends DomainError {
  constructor(what: string, from: string, to: string, path: readonly string[]) {
    super(
      'CUSTOMERS_CURRENCY_MISMATCH',
      `The ${what} is kept in ${from}; ${to} cannot replace it. Send amounts in ${from}.`,
      { path, details: { from, to } },
    );
  }
}
