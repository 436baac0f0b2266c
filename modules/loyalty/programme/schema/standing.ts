import DataLoader from 'dataloader';
import { type Builder, connectionArgs, connectionType, perOperation } from '../../../../src/core/builder/index.ts';
import { nestedPartField } from '../../../../src/core/graph/index.ts';
import { tierChange } from '../../domain/tiers.ts';
import type { AccountTypes } from '../../ledger/schema/account.ts';
import type { TierTypes } from '../../schema/tiers.ts';
import type { LoyaltyService } from '../../service.ts';
import { type TierMoveShape, tierHistoryPart } from '../parts.ts';
import type { TierStanding } from '../service-tiers.ts';

/** What an account says of its tier beside the tier itself, and an entry of the rule that gave it. */
export function standingSchema(
  builder: Builder,
  service: LoyaltyService,
  tiers: TierTypes,
  { Account, Entry }: AccountTypes,
): void {
  const Standing = builder.objectRef<TierStanding>('TierStanding').implement({
    description: 'How an account stands in the qualification for its tier.',
    fields: (t) => ({
      counting: t.expose('counting', {
        type: 'SafeInt',
        description: 'Points that count now: all that was earned, or what was earned in the running window.',
      }),
      pointsToKeep: t.expose('pointsToKeep', {
        type: 'SafeInt',
        description: 'Points still to earn to keep the tier; 0 when it is safe.',
      }),
      downgradeAt: t.expose('downgradeAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the grace period ends that the account is in; null when it is in none.',
      }),
    }),
  });
  builder.objectField(Account, 'tierStanding', (t) =>
    t.field({
      type: Standing,
      nullable: true,
      description: 'How the account stands in the qualification; null once it is closed.',
      resolve: (account, _args, context) => tiers.standings(context).load(account.id),
    }),
  );

  const Cause = builder.enumType('TierChangeCause', {
    description: 'What moved a customer to another tier.',
    values: {
      ENTRY: { description: 'Points earned, or taken back.' },
      REVIEW: { description: 'The daily review: a window moved on, a grace period ended, or the tiers were changed.' },
    } as const,
  });
  const Move = builder.objectRef<TierMoveShape>('TierHistoryEntry').implement({
    description: 'A move of an account from one tier to another.',
    fields: (t) => ({
      from: t.field({
        type: tiers.Tier,
        description: 'The tier before.',
        resolve: (move, _args, context) => tiers.byKey(context, move.from),
      }),
      to: t.field({
        type: tiers.Tier,
        description: 'The tier from then on.',
        resolve: (move, _args, context) => tiers.byKey(context, move.to),
      }),
      direction: t.field({
        type: tiers.Direction,
        description: 'Up or down.',
        resolve: (move) => tierChange(move.from, move.to)?.direction ?? 'UP',
      }),
      cause: t.field({ type: Cause, description: 'What led to it.', resolve: (move) => move.cause }),
      at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    }),
  });
  nestedPartField(builder, Account, tierHistoryPart, 'tierHistory', {
    type: connectionType(builder, { name: 'TierHistoryEntry', node: Move }),
    description: 'Moves between tiers, newest first, kept from the first day.',
    args: (arg) => connectionArgs(arg),
  });

  const earnings = perOperation(() => new DataLoader(service.entryEarnings));
  const Earning = builder
    .objectRef<{ readonly ruleVersion: number | null; readonly base: number; readonly campaigns: readonly string[] }>(
      'LedgerEntryEarning',
    )
    .implement({
      description: 'What gave an entry its points.',
      fields: (t) => ({
        ruleVersion: t.exposeInt('ruleVersion', {
          nullable: true,
          description:
            'Version of the setting that held the rule (loyalty.earningRules, or loyalty.orderPoints); 0: as it was shipped; null for entries written before it was kept.',
        }),
        base: t.expose('base', { type: 'SafeInt', description: 'Points the rule gave before campaigns.' }),
        campaigns: t.stringList({
          description: 'Keys of the campaigns that had a part in it.',
          resolve: (earning) => [...earning.campaigns],
        }),
      }),
    });
  builder.objectField(Entry, 'earning', (t) =>
    t.field({
      type: Earning,
      nullable: true,
      description: 'What gave it its points; null for what no rule gave.',
      resolve: async (entry, _args, context) => {
        if (entry.kind !== 'EARN' || entry.phase === 'VOIDED' || entry.rule === null) return null;
        // What waited was earned when it began to wait.
        const known = await earnings(context).load(entry.settles ?? entry.id);
        const base = entry.phase === 'PENDING' ? entry.pending : entry.points - entry.debt;
        return { base, campaigns: [], ...known, ruleVersion: entry.ruleVersion };
      },
    }),
  );
}
