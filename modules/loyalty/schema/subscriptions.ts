import type { Builder } from '../../../src/core/builder/index.ts';
import { eventSubscription } from '../../../src/core/events/schema.ts';
import { pointsAwarded, tierAtRisk, tierChanged } from '../events.ts';
import type { TierTypes } from './tiers.ts';

/** `Subscription.pointsAwarded`, `.tierChanged` and `.tierAtRisk`. */
export function subscriptionSchema(builder: Builder, tiers: TierTypes): void {
  eventSubscription(builder, {
    field: 'pointsAwarded',
    description: 'Points as customers earn them.',
    scope: 'loyalty:read',
    definition: pointsAwarded,
    type: 'PointsAwarded',
    fields: (t) => ({
      points: t.field({ type: 'SafeInt', description: 'Points earned.', resolve: (event) => event.payload.points }),
      balance: t.field({
        type: 'SafeInt',
        description: 'Balance after it.',
        resolve: (event) => event.payload.balance,
      }),
      earned: t.field({
        type: 'SafeInt',
        description: 'Points earned in all after it.',
        resolve: (event) => event.payload.earned,
      }),
      tier: t.field({
        type: tiers.Tier,
        description: 'Tier held after it.',
        resolve: (event, _args, context) => tiers.byKey(context, event.payload.tier),
      }),
      rule: t.string({
        nullable: true,
        description: 'Key of the earning rule, when one applied.',
        resolve: (event) => event.payload.rule,
      }),
    }),
  });
  eventSubscription(builder, {
    field: 'tierChanged',
    description: 'Moves of customers from one tier to another.',
    scope: 'loyalty:read',
    definition: tierChanged,
    type: 'TierChanged',
    fields: (t) => ({
      from: t.field({
        type: tiers.Tier,
        description: 'The tier before.',
        resolve: (event, _args, context) => tiers.byKey(context, event.payload.from),
      }),
      to: t.field({
        type: tiers.Tier,
        description: 'The tier now.',
        resolve: (event, _args, context) => tiers.byKey(context, event.payload.to),
      }),
      direction: t.field({
        type: tiers.Direction,
        description: 'Up or down.',
        resolve: (event) => event.payload.direction,
      }),
      earned: t.field({
        type: 'SafeInt',
        description: 'Points earned in all.',
        resolve: (event) => event.payload.earned,
      }),
      balance: t.field({ type: 'SafeInt', description: 'Points held.', resolve: (event) => event.payload.balance }),
    }),
  });
  eventSubscription(builder, {
    field: 'tierAtRisk',
    description: 'Customers who no longer have the points of their tier, as the grace period begins.',
    scope: 'loyalty:read',
    definition: tierAtRisk,
    type: 'TierAtRisk',
    fields: (t) => ({
      tier: t.field({
        type: tiers.Tier,
        description: 'The tier held.',
        resolve: (event, _args, context) => tiers.byKey(context, event.payload.tier),
      }),
      to: t.field({
        type: tiers.Tier,
        description: 'The tier that what counts gives.',
        resolve: (event, _args, context) => tiers.byKey(context, event.payload.to),
      }),
      counting: t.field({
        type: 'SafeInt',
        description: 'Points that count now.',
        resolve: (event) => event.payload.counting,
      }),
      pointsToKeep: t.field({
        type: 'SafeInt',
        description: 'Points still to earn to keep the tier.',
        resolve: (event) => event.payload.pointsToKeep,
      }),
      downgradeAt: t.field({
        type: 'DateTime',
        description: 'When the grace period ends.',
        resolve: (event) => event.payload.downgradeAt,
      }),
    }),
  });
}
