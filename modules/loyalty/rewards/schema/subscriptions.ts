import type { ObjectFieldsShape } from '@pothos/core';
import type { Builder, BuilderTypes } from '../../../../src/core/builder/index.ts';
import type { DomainEvent } from '../../../../src/core/events/index.ts';
import { eventSubscription } from '../../../../src/core/events/schema.ts';
import {
  redemptionCancelled,
  redemptionExpired,
  redemptionFulfilled,
  rewardChanged,
  rewardRedeemed,
  rewardStockLow,
} from '../events.ts';
import type { CatalogueTypes } from './catalogue.ts';
import type { RedemptionTypes } from './redemptions.ts';

const scope = 'loyalty:read';

/** The subscriptions to what becomes of rewards and redemptions. */
export function rewardSubscriptions(
  builder: Builder,
  { Reward, loader, Redemption, PointsState, redemptions }: CatalogueTypes & RedemptionTypes,
): void {
  interface OfReward {
    readonly rewardId: string;
  }
  interface OfRedemption extends OfReward {
    readonly redemptionId: string;
    readonly quantity: number;
    readonly points: number;
  }
  type Fields<P> = Parameters<ObjectFieldsShape<BuilderTypes, DomainEvent<P>>>[0];
  const reward = <P extends OfReward>(t: Fields<P>) =>
    t.field({
      type: Reward,
      nullable: true,
      description: 'The reward, as it is when this is told.',
      resolve: (event, _args, context) => loader(context).load(event.payload.rewardId),
    });
  const common = <P extends OfRedemption>(t: Fields<P>) => ({
    redemption: t.field({
      type: Redemption,
      nullable: true,
      description: 'The redemption, as it is when this is told.',
      resolve: (event, _args, context) => redemptions(context).load(event.payload.redemptionId),
    }),
    reward: reward(t),
    quantity: t.int({ description: 'How many.', resolve: (event) => event.payload.quantity }),
    points: t.field({
      type: 'SafeInt',
      description: 'Points for all of them.',
      resolve: (event) => event.payload.points,
    }),
  });

  eventSubscription(builder, {
    field: 'rewardRedeemed',
    description: 'Rewards as customers redeem them.',
    scope,
    definition: rewardRedeemed,
    type: 'RewardRedeemed',
    fields: (t) => ({
      ...common(t),
      expiresAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'First instant at which it can no longer be used.',
        resolve: (event) => event.payload.expiresAt,
      }),
    }),
  });
  eventSubscription(builder, {
    field: 'redemptionFulfilled',
    description: 'Redemptions as they are fulfilled.',
    scope,
    definition: redemptionFulfilled,
    type: 'RedemptionFulfilled',
    fields: common,
  });
  eventSubscription(builder, {
    field: 'redemptionCancelled',
    description: 'Redemptions as they are cancelled.',
    scope,
    definition: redemptionCancelled,
    type: 'RedemptionCancelled',
    fields: common,
  });
  eventSubscription(builder, {
    field: 'redemptionExpired',
    description: 'Redemptions as they expire.',
    scope,
    definition: redemptionExpired,
    type: 'RedemptionExpired',
    fields: (t) => ({
      ...common(t),
      pointsState: t.field({
        type: PointsState,
        description: 'Whether the points went back or were forfeited.',
        resolve: (event) => event.payload.pointsState,
      }),
    }),
  });
  eventSubscription(builder, {
    field: 'rewardStockLow',
    description: 'Rewards that are running out.',
    scope,
    definition: rewardStockLow,
    type: 'RewardStockLow',
    perCustomer: false,
    fields: (t) => ({
      reward: reward(t),
      stock: t.int({ description: 'How many were left.', resolve: (event) => event.payload.stock }),
      lowStockAt: t.int({ description: 'The mark it fell to or below.', resolve: (event) => event.payload.lowStockAt }),
    }),
  });
  const Change = builder.enumType('CatalogueChange', {
    description: 'What happened to a reward of the catalogue.',
    values: {
      CREATED: { description: 'It is new.' },
      CHANGED: { description: 'Something is said differently of it.' },
      ARCHIVED: { description: 'It was taken out.' },
      RESTORED: { description: 'It was taken up again.' },
    } as const,
  });
  eventSubscription(builder, {
    field: 'rewardChanged',
    description: 'Changes of the catalogue of rewards.',
    scope,
    definition: rewardChanged,
    type: 'RewardChanged',
    perCustomer: false,
    fields: (t) => ({
      reward: reward(t),
      change: t.field({ type: Change, description: 'What happened.', resolve: (event) => event.payload.change }),
      fields: t.stringList({ description: 'Which properties changed.', resolve: (event) => event.payload.fields }),
    }),
  });
}
