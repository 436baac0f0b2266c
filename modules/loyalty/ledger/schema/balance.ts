import DataLoader from 'dataloader';
import { type Builder, perOperation } from '../../../../src/core/builder/index.ts';
import type { LoyaltyService } from '../../service.ts';
import { availableOf, type Sums } from '../domain/ledger.ts';
import type { BalanceAt, Expiring } from '../queries-reads.ts';

/** What an account holds, now or at a past instant. */
interface PointsShape extends Sums {
  readonly accountId: string;
  /** Null: now. */
  readonly asOf: Date | null;
}

const keyOf = ({ accountId, asOf }: BalanceAt): string => `${accountId} ${asOf.getTime()}`;

/** `LoyaltyAccount.balance(asOf:)`. */
export function balanceTypes(builder: Builder, service: LoyaltyService) {
  const expiring = perOperation(() => new DataLoader(service.expiringNext));
  const wasExpiring = perOperation(() => new DataLoader(service.expiringNextAsOf, { cacheKeyFn: keyOf }));
  const pastSums = perOperation(() => new DataLoader(service.sumsAsOf, { cacheKeyFn: keyOf }));

  const Next = builder.objectRef<Expiring>('ExpiringPoints').implement({
    description: 'Points that lapse at one instant.',
    fields: (t) => ({
      points: t.expose('points', { type: 'SafeInt', description: 'How many, unless they are spent before.' }),
      at: t.expose('at', { type: 'DateTime', description: 'The first instant at which they are gone.' }),
    }),
  });
  const Points = builder.objectRef<PointsShape>('Points').implement({
    description: 'What an account holds.',
    fields: (t) => ({
      available: t.field({
        type: 'SafeInt',
        description: 'Points that can be spent; never below zero.',
        resolve: availableOf,
      }),
      pending: t.expose('pending', {
        type: 'SafeInt',
        description: 'Points awarded that wait to be confirmed; no part of what is available.',
      }),
      held: t.expose('held', {
        type: 'SafeInt',
        description: 'Points set aside until they are spent or given back; no part of what is available.',
      }),
      debt: t.expose('debt', {
        type: 'SafeInt',
        description: 'Points taken back after they were spent; whatever becomes available pays them first.',
      }),
      expiringNext: t.field({
        type: Next,
        nullable: true,
        description: 'What of the available points lapses next; null when none does.',
        complexity: 5,
        resolve: ({ accountId, asOf }, _args, context) =>
          asOf === null ? expiring(context).load(accountId) : wasExpiring(context).load({ accountId, asOf }),
      }),
    }),
  });
  return { Points, pastSums };
}
