import { DomainError } from '../../src/core/errors.ts';
import type { CapPeriod } from './domain/rules.ts';
import type { TierKey } from './domain/tiers.ts';

/** The customer has not joined, and the shop does not enrol everybody. */
export class NotAMember extends DomainError {
  constructor(customerId: string) {
    super(
      'LOYALTY_NOT_A_MEMBER',
      `The customer ${customerId} is no member of the loyalty programme. Enrol the customer (enrolCustomers), or switch ` +
        'on the setting loyalty.autoEnrol.',
      { path: ['customerId'], details: { customerId } },
    );
  }
}

/** The rule was not yet, or is no longer, in force when it should have given points. */
export class RuleNotValid extends DomainError {
  constructor(rule: string, validFrom: string | null, validUntil: string | null) {
    super(
      'LOYALTY_RULE_NOT_VALID',
      `The earning rule "${rule}" gives points only from ${validFrom ?? 'the beginning'} until ${validUntil ?? 'it is withdrawn'}.`,
      { path: ['rule'], details: { rule, validFrom, validUntil } },
    );
  }
}

/** The rule gives nothing to customers of this tier. */
export class RuleNotOpenToTier extends DomainError {
  readonly rule: string;
  readonly tier: TierKey;
  readonly openTo: readonly TierKey[];
  constructor(rule: string, tier: TierKey, openTo: readonly TierKey[]) {
    super(
      'LOYALTY_RULE_NOT_OPEN_TO_TIER',
      `The earning rule "${rule}" is not open to ${tier}, only to ${openTo.join(', ') || 'no tier'}.`,
      { path: ['rule'], details: { rule, tier, openTo } },
    );
    this.rule = rule;
    this.tier = tier;
    this.openTo = openTo;
  }
}

/** The rule gives no more points to this customer in this period. */
export class EarningCapReached extends DomainError {
  readonly rule: string;
  readonly times: number;
  readonly per: CapPeriod;
  /** How often it would still give points in the period. */
  readonly left: number;
  readonly resetsAt: Date;
  constructor(rule: string, cap: { times: number; per: CapPeriod; inPoints?: boolean }, left: number, resetsAt: Date) {
    const often = cap.inPoints === true ? `up to ${cap.times}` : cap.times === 1 ? 'once' : `${cap.times} times`;
    const until = cap.per === 'LIFETIME' ? 'for good' : `until ${resetsAt.toISOString()}`;
    super(
      'LOYALTY_EARNING_CAP_REACHED',
      `The earning rule "${rule}" gives points ${often} per ${cap.per.toLowerCase()}; ${left} left ${until}.`,
      { path: ['rule'], details: { rule, ...cap, left, resetsAt: resetsAt.toISOString() } },
    );
    this.rule = rule;
    this.times = cap.times;
    this.per = cap.per;
    this.left = left;
    this.resetsAt = resetsAt;
  }
}

/** The balance does not cover what would be taken. */
export class InsufficientPoints extends DomainError {
  readonly available: number;
  readonly needed: number;
  constructor(available: number, needed: number, path: readonly string[] = ['points']) {
    super(
      'LOYALTY_INSUFFICIENT_POINTS',
      `The account has ${available} points to spend and ${needed} would be taken. A balance is never below zero.`,
      { path, details: { available, needed } },
    );
    this.available = available;
    this.needed = needed;
  }
}

/** No such account. */
export class AccountNotFound extends DomainError {
  constructor(accountId: string) {
    super('LOYALTY_ACCOUNT_NOT_FOUND', `There is no loyalty account ${accountId}.`, {
      path: ['id'],
      details: { accountId },
    });
  }
}

/** No such entry in the ledger. */
export class EntryNotFound extends DomainError {
  constructor(entryId: string) {
    super('LOYALTY_ENTRY_NOT_FOUND', `There is no ledger entry ${entryId}.`, {
      path: ['entryId'],
      details: { entryId },
    });
  }
}

/** The entry was taken back before, takes back another one itself, or belongs to an account that is closed. */
export class EntryNotReversible extends DomainError {
  constructor(entryId: string, why: string) {
    super('LOYALTY_ENTRY_NOT_REVERSIBLE', `The ledger entry ${entryId} cannot be reversed: ${why}.`, {
      path: ['entryId'],
      details: { entryId, why },
    });
  }
}

/** The entry never waited, or no longer does. */
export class EntryNotPending extends DomainError {
  constructor(entryId: string, why: string) {
    super('LOYALTY_ENTRY_NOT_PENDING', `The ledger entry ${entryId} cannot be confirmed or voided: ${why}.`, {
      path: ['entryId'],
      details: { entryId, why },
    });
  }
}

/** Nothing has come to its end. For jobs, which ask in any case. */
export class NothingDue extends DomainError {
  constructor() {
    super('LOYALTY_NOTHING_DUE', 'Nothing of this account has come to its end.');
  }
}
