import type { ArgBuilder } from '@pothos/core';
import {
  type Builder,
  type BuilderTypes,
  connectionArgs,
  connectionType,
  encodeGlobalId,
} from '../../../../src/core/builder/index.ts';
import { filterField, nestedPartField, partField } from '../../../../src/core/graph/index.ts';
import type { TierKey } from '../../domain/tiers.ts';
import type { TierTypes } from '../../schema/tiers.ts';
import type { LoyaltyService } from '../../service.ts';
import { type AccountShape, type EntryShape, entriesPart, loyaltyPart, statementPart, tierFilter } from '../parts.ts';
import { balanceTypes } from './balance.ts';

const periodArgs = (arg: ArgBuilder<BuilderTypes>) => ({
  from: arg({ type: 'DateTime', description: 'First instant; from the beginning when left out.' }),
  to: arg({ type: 'DateTime', description: 'First instant that no longer belongs to it; to the end when left out.' }),
});

/** `Customer.loyalty`, the account with its entries, and the filter by tier. */
export function accountTypes(builder: Builder, service: LoyaltyService, tiers: TierTypes) {
  const Kind = builder.enumType('LedgerEntryKind', {
    description: 'What an entry does.',
    values: {
      EARN: { description: 'Points were earned.' },
      REDEEM: { description: 'Points were spent.' },
      EXPIRE: { description: 'Points lapsed.' },
      REVERSE: { description: 'An earlier entry was taken back; `reverses` says which.' },
      ADJUST: { description: 'The balance was put right by hand, or moved by a merge of two customers.' },
    } as const,
  });
  const Source = builder.enumType('LedgerEntrySource', {
    description: 'What led to an entry.',
    values: {
      AWARD: { description: 'The mutations awardPoints and awardPointsBatch.' },
      ORDER: { description: 'An order that came in.' },
      REVERSAL: { description: 'The mutation reversePoints.' },
      ADJUSTMENT: { description: 'The mutation adjustPoints.' },
      MERGE: { description: 'Two customers became one.' },
      REDEMPTION: { description: 'The mutations redeemPoints and holdPoints.' },
      REWARD: { description: 'A reward was redeemed.' },
      EXPIRY: { description: 'The time of points was over.' },
    } as const,
  });
  const Phase = builder.enumType('LedgerEntryPhase', {
    description: 'Whether an entry counts at once, waits, or says what became of one that waited.',
    values: {
      POSTED: { description: 'It counts at once.' },
      PENDING: { description: 'It waits to be confirmed or voided; until then the balance stays.' },
      CONFIRMED: { description: 'What waited happened; `settles` says which entry that was.' },
      VOIDED: { description: 'What waited did not happen; `settles` says which entry that was.' },
    } as const,
  });
  const Entry = builder.objectRef<EntryShape>('LedgerEntry').implement({
    description: 'A line of the ledger. Entries are never changed: what was wrong is put right by another entry.',
    fields: (t) => ({
      id: t.id({ description: 'Global id.', resolve: (entry) => encodeGlobalId('LedgerEntry', entry.id) }),
      number: t.exposeInt('number', { description: 'Its place in the account: 1, 2, 3 ... without a gap.' }),
      kind: t.field({ type: Kind, description: 'What it does.', resolve: (entry) => entry.kind }),
      phase: t.field({ type: Phase, description: 'Whether it counts at once.', resolve: (entry) => entry.phase }),
      points: t.expose('points', {
        type: 'SafeInt',
        description: 'Points it adds to the balance; negative when it takes some, 0 when it only waits.',
      }),
      pending: t.expose('pending', {
        type: 'SafeInt',
        description: 'Points it adds to those awarded that wait to be confirmed.',
      }),
      held: t.expose('held', { type: 'SafeInt', description: 'Points of the balance it sets aside.' }),
      debt: t.expose('debt', {
        type: 'SafeInt',
        description: 'Points it adds to what is owed; negative when a part of what came paid a debt.',
      }),
      balanceAfter: t.expose('balanceAfter', { type: 'SafeInt', description: 'The balance with this entry.' }),
      rule: t.exposeString('rule', { nullable: true, description: 'Key of the earning rule, when one applied.' }),
      source: t.field({ type: Source, description: 'What led to it.', resolve: (entry) => entry.source }),
      reverses: t.id({
        nullable: true,
        description: 'The entry it takes back.',
        resolve: (entry) => (entry.reverses === null ? null : encodeGlobalId('LedgerEntry', entry.reverses)),
      }),
      settles: t.id({
        nullable: true,
        description: 'The entry that waited until this one.',
        resolve: (entry) => (entry.settles === null ? null : encodeGlobalId('LedgerEntry', entry.settles)),
      }),
      reason: t.exposeString('reason', { nullable: true, description: 'Why, in the words of who asked for it.' }),
      effectiveAt: t.expose('effectiveAt', { type: 'DateTime', description: 'When it holds for the business.' }),
      recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When it was written.' }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the points it brought lapse, or when it no longer waits; null: never.',
      }),
    }),
  });
  const { Points, pastSums } = balanceTypes(builder, service);
  const Account = builder.objectRef<AccountShape>('LoyaltyAccount').implement({
    description: 'Membership of a customer in the loyalty programme.',
    fields: (t) => ({
      id: t.id({ description: 'Global id.', resolve: (account) => encodeGlobalId('LoyaltyAccount', account.id) }),
      joinedAt: t.expose('joinedAt', { type: 'DateTime', description: 'When the customer joined.' }),
      balance: t.field({
        type: Points,
        complexity: ({ asOf }) => (asOf === null || asOf === undefined ? 0 : 2),
        description: 'What the account holds: the sum of all entries.',
        args: {
          asOf: t.arg({ type: 'DateTime', description: 'As it was known at this time; now when left out.' }),
        },
        resolve: async (account, { asOf }, context) => {
          const { id: accountId, points: balance, pending, held, debt } = account;
          if (asOf === null || asOf === undefined) return { accountId, asOf: null, balance, pending, held, debt };
          return { accountId, asOf, ...(await pastSums(context).load({ accountId, asOf })) };
        },
      }),
      earned: t.expose('earned', {
        type: 'SafeInt',
        description:
          'Points earned in all, spent or not, without those taken back: the tier goes by it, unless only a window counts.',
      }),
      tier: t.field({
        type: tiers.Tier,
        // Tiers are kept in memory, those of the past are not.
        complexity: ({ asOf }) => ({ field: asOf === null || asOf === undefined ? 0 : 1 }),
        description: 'The tier held; the lowest before the first move.',
        args: {
          asOf: t.arg({ type: 'DateTime', description: 'As it was known at this time; now when left out.' }),
        },
        resolve: (account, { asOf }, context) => tiers.heldBy(context, account, asOf),
      }),
      tierSince: t.expose('tierSince', { type: 'DateTime', description: 'Since when the tier is held.' }),
      nextTier: t.field({
        type: tiers.NextTier,
        nullable: true,
        description: 'The tier above, and what it takes; null at the top.',
        resolve: (account, _args, context) => tiers.nextOf(context, account),
      }),
    }),
  });
  nestedPartField(builder, Account, entriesPart, 'entries', {
    type: connectionType(builder, { name: 'LedgerEntry', node: Entry }),
    description: 'Entries of the ledger, newest first.',
    args: (arg) => connectionArgs(arg),
  });
  nestedPartField(builder, Account, statementPart, 'statement', {
    type: connectionType(builder, { name: 'LedgerEntry', node: Entry }),
    description:
      'Statement of account: entries in the order they were recorded, oldest first, each with the balance after it. The balance it begins with is `balance(asOf:)` of its first instant.',
    args: (arg) => ({ ...connectionArgs(arg), ...periodArgs(arg) }),
  });
  builder.objectField(Account, 'statementFile', (t) =>
    t.string({
      description:
        'Path of the same statement as a CSV file of any length, to be fetched from this server with the same key.',
      args: periodArgs(t.arg),
      resolve: ({ id }, { from, to }) => {
        const query = new URLSearchParams();
        if (from) query.set('from', from.toISOString());
        if (to) query.set('to', to.toISOString());
        return `/loyalty/accounts/${id}/statement.csv${query.size === 0 ? '' : `?${query}`}`;
      },
    }),
  );
  partField(builder, loyaltyPart, 'loyalty', {
    type: Account,
    nullable: true,
    scope: 'loyalty:read',
    description: 'Membership in the loyalty programme; null until the customer joins.',
  });
  filterField<readonly TierKey[]>(builder, 'tier', tierFilter, {
    scope: 'loyalty:read',
    field: (t) => t.field({ type: [tiers.Key], description: 'Members who hold one of these tiers.' }),
  });
  return { Account, Entry };
}

export type AccountTypes = ReturnType<typeof accountTypes>;
