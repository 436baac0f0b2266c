import { type Builder, domainError } from '../../../../src/core/builder/index.ts';
import {
  EarningCapReached,
  EntryNotFound,
  EntryNotPending,
  EntryNotReversible,
  InsufficientPoints,
  NotAMember,
  RuleNotOpenToTier,
  RuleNotValid,
} from '../../errors.ts';
import type { TierTypes } from '../../schema/tiers.ts';

/** Why a movement of points is refused, as the API says it. */
export function ledgerErrors(builder: Builder, tiers: TierTypes): void {
  domainError(
    builder,
    NotAMember,
    'The customer has not joined the programme, and customers do not join by themselves.',
  );
  domainError(builder, RuleNotOpenToTier, 'The earning rule gives nothing to members of this tier.', (t) => ({
    rule: t.exposeString('rule', { description: 'Key of the rule.' }),
    tier: t.field({ type: tiers.Key, description: 'The tier held.', resolve: (error) => error.tier }),
    openTo: t.field({ type: [tiers.Key], description: 'Tiers it is open to.', resolve: (error) => [...error.openTo] }),
  }));
  domainError(builder, RuleNotValid, 'The earning rule was not in force when the points would have been earned.');
  domainError(builder, EarningCapReached, 'The earning rule gives no more points in this period.', (t) => ({
    rule: t.exposeString('rule', { description: 'Key of the rule.' }),
    left: t.exposeInt('left', { description: 'How often it would still give points in the period.' }),
    resetsAt: t.expose('resetsAt', { type: 'DateTime', description: 'When the next period begins.' }),
  }));
  domainError(builder, InsufficientPoints, 'The balance does not cover what would be taken.', (t) => ({
    available: t.expose('available', { type: 'SafeInt', description: 'Points that can be spent.' }),
    needed: t.expose('needed', { type: 'SafeInt', description: 'Points that would be taken.' }),
  }));
  domainError(builder, EntryNotFound, 'There is no such ledger entry.');
  domainError(builder, EntryNotPending, 'The ledger entry never waited, or no longer does; the message says which.');
  domainError(builder, EntryNotReversible, 'The ledger entry cannot be taken back; the message says why.');
}
