import { type Builder, encodeGlobalId } from '../../../../src/core/builder/index.ts';
import type { EventDefinition } from '../../../../src/core/events/index.ts';
import { eventSubscription } from '../../../../src/core/events/schema.ts';
import {
  pointsAdjusted,
  pointsConfirmed,
  pointsExpired,
  pointsHeld,
  pointsPending,
  pointsRedeemed,
  pointsReversed,
  pointsVoided,
} from '../../events.ts';

const scope = 'loyalty:read';
const entryId = (id: string): string => encodeGlobalId('LedgerEntry', id);

interface Moved {
  readonly entryId: string;
  readonly points: number;
  readonly balance: number;
}

interface Waiting {
  readonly entryId: string;
  readonly points: number;
  readonly available: number;
  readonly held: number;
}

/** Subscriptions to every movement of points but awards. */
export function ledgerSubscriptions(builder: Builder): void {
  const moved = <P extends Moved>(type: string, definition: EventDefinition<string, P>, description: string) =>
    eventSubscription<P>(builder, {
      field: fieldOf(type),
      description,
      scope,
      definition,
      type,
      fields: (t) => ({
        entryId: t.id({ description: 'The entry.', resolve: (event) => entryId(event.payload.entryId) }),
        points: t.field({
          type: 'SafeInt',
          description: 'Points it adds to the balance; negative when it takes some.',
          resolve: (event) => event.payload.points,
        }),
        balance: t.field({
          type: 'SafeInt',
          description: 'Balance after it.',
          resolve: (event) => event.payload.balance,
        }),
      }),
    });
  moved('PointsRedeemed', pointsRedeemed, 'Points as customers spend them.');
  moved('PointsExpired', pointsExpired, 'Points as they lapse.');
  moved('PointsReversed', pointsReversed, 'Entries as they are taken back.');
  moved('PointsAdjusted', pointsAdjusted, 'Balances as they are put right.');

  const Direction = builder.enumType('PendingDirection', {
    description: 'Which way points that waited were to go.',
    values: {
      CREDIT: { description: 'They were to become available.' },
      DEBIT: { description: 'They were to be spent.' },
    } as const,
  });
  const begun = <P extends Waiting & { readonly expiresAt: string }>(
    type: string,
    definition: EventDefinition<string, P>,
    description: string,
  ) =>
    eventSubscription<P>(builder, {
      field: fieldOf(type),
      description,
      scope,
      definition,
      type,
      fields: (t) => ({
        entryId: t.id({ description: 'The entry that waits.', resolve: (event) => entryId(event.payload.entryId) }),
        points: t.field({ type: 'SafeInt', description: 'How many wait.', resolve: (event) => event.payload.points }),
        available: t.field({
          type: 'SafeInt',
          description: 'Points that can be spent after it.',
          resolve: (event) => event.payload.available,
        }),
        expiresAt: t.field({
          type: 'DateTime',
          description: 'When it is voided unless it was confirmed before.',
          resolve: (event) => event.payload.expiresAt,
        }),
      }),
    });
  begun('PointsPending', pointsPending, 'Points as they are awarded to wait.');
  begun('PointsHeld', pointsHeld, 'Points as they are set aside.');
  const ended = <P extends Waiting & { readonly settles: string; readonly direction: 'CREDIT' | 'DEBIT' }>(
    type: string,
    definition: EventDefinition<string, P>,
    description: string,
  ) =>
    eventSubscription<P>(builder, {
      field: fieldOf(type),
      description,
      scope,
      definition,
      type,
      fields: (t) => ({
        entryId: t.id({ description: 'The entry.', resolve: (event) => entryId(event.payload.entryId) }),
        settles: t.id({ description: 'The entry that waited.', resolve: (event) => entryId(event.payload.settles) }),
        direction: t.field({
          type: Direction,
          description: 'Which way they were to go.',
          resolve: (event) => event.payload.direction,
        }),
        points: t.field({ type: 'SafeInt', description: 'How many waited.', resolve: (event) => event.payload.points }),
        available: t.field({
          type: 'SafeInt',
          description: 'Points that can be spent after it.',
          resolve: (event) => event.payload.available,
        }),
      }),
    });
  ended('PointsConfirmed', pointsConfirmed, 'What waited, as it happens.');
  ended('PointsVoided', pointsVoided, 'What waited, as it turns out not to happen.');
}

const fieldOf = (type: string): string => `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
