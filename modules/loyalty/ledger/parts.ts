import { defineCustomerPart, defineFilter, defineListPart, type ListArgs } from '../../../src/core/graph/index.ts';
import type { TierKey } from '../domain/tiers.ts';
import type { EntryKind, EntryPhase, EntrySource } from './domain/ledger.ts';

/** An account as the graph shows it; times are texts when they come out of JSON built in SQL. */
export interface AccountShape {
  readonly id: string;
  readonly customerId: string;
  readonly joinedAt: Date | string;
  readonly tierKey: TierKey;
  readonly tierSince: Date | string;
  /** The balance, points set aside included. */
  readonly points: number;
  readonly pending: number;
  readonly held: number;
  readonly debt: number;
  readonly earned: number;
}

/** A ledger entry as the graph shows it. */
export interface EntryShape {
  readonly id: string;
  readonly number: number;
  readonly kind: EntryKind;
  readonly phase: EntryPhase;
  readonly points: number;
  readonly pending: number;
  readonly held: number;
  readonly debt: number;
  readonly balanceAfter: number;
  readonly rule: string | null;
  readonly ruleVersion: number | null;
  readonly source: EntrySource;
  readonly reverses: string | null;
  readonly settles: string | null;
  readonly reason: string | null;
  readonly effectiveAt: Date | string;
  readonly recordedAt: Date | string;
  readonly expiresAt: Date | string | null;
}

/** The membership of a customer: one look-up by the customer's id. */
export const loyaltyPart = defineCustomerPart<AccountShape>({
  name: 'loyalty',
  sql: (customer, _args, _bind, nested) => `(
    select json_build_object('id', la.id, 'customerId', la.customer_id, 'joinedAt', la.joined_at, 'tierKey', la.tier,
                             'tierSince', la.tier_since, 'points', la.balance, 'pending', la.pending, 'held', la.held,
                             'debt', la.debt, 'earned', la.earned${nested})
    from loyalty_account la where la.customer_id = ${customer}.id and la.closed_at is null)`,
});

const ENTRY = `le.id, le.number, le.kind, le.phase, le.points, le.pending, le.held, le.debt,
           le.balance_after as "balanceAfter", le.rule, le.source, le.reverses, le.settles, le.reason,
           le.effective_at as "effectiveAt", le.recorded_at as "recordedAt", le.expires_at as "expiresAt",
           le.rule_version as "ruleVersion"`;

/** The newest entries of the account it stands in: a backward index scan, n = page size. */
export const entriesPart = defineListPart<EntryShape>({
  name: 'entries',
  keyLength: 1,
  cursorOf: (entry) => [entry.number],
  select: (_customer, { limit, after }, _args, bind) => `
    select ${ENTRY}
    from loyalty_entry le
    where le.account_id = la.id${after === null ? '' : ` and le.number < ${bind(after[0])}::int`}
    order by le.number desc limit ${limit}`,
});

export interface StatementArgs extends ListArgs {
  readonly from?: Date | null;
  readonly to?: Date | null;
}

/** The same, oldest first and of a stretch of time: an index scan, n = page size and what lies before it. */
export const statementPart = defineListPart<EntryShape, StatementArgs>({
  name: 'statement',
  keyLength: 1,
  cursorOf: (entry) => [entry.number],
  select: (_customer, { limit, after }, { from, to }, bind) => `
    select ${ENTRY}
    from loyalty_entry le
    where le.account_id = la.id${after === null ? '' : ` and le.number > ${bind(after[0])}::int`}
      ${from === null || from === undefined ? '' : `and le.recorded_at >= ${bind(from.toISOString())}::timestamptz`}
      ${to === null || to === undefined ? '' : `and le.recorded_at < ${bind(to.toISOString())}::timestamptz`}
    order by le.number limit ${limit}`,
});

export const tierFilter = defineFilter<readonly TierKey[]>(
  (customer, tiers, bind) => `exists (
    select from loyalty_account la
    where la.customer_id = ${customer}.id and la.closed_at is null and la.tier = any(${bind(tiers)}::text[]))`,
);
