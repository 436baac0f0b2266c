import type { Tx } from '../../../src/core/database/index.ts';
import { newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { subscriptionCancelled, subscriptionChanged, subscriptionStarted } from '../events.ts';
import { subscriptionInput } from '../inputs.ts';
import { createStore, type Upserted } from './store.ts';
import { given, kept, type RecordKind } from './upsert.ts';

type SubscriptionFields = ReturnType<typeof subscriptionInput.parse>;

export interface SubscriptionRow {
  readonly id: string;
  readonly externalId: string;
  readonly customerId: string;
  readonly plan: string;
  readonly mrrMinor: number;
  readonly currency: string;
  readonly startedAt: Date;
  readonly cancelledAt: Date | null;
  readonly cancelReason: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const store = createStore<SubscriptionRow>({
  table: 'subscription',
  key: ['externalId'],
  columns: {
    id: { column: 'id', type: 'uuid' },
    externalId: { column: 'external_id', type: 'text' },
    customerId: { column: 'customer_id', type: 'uuid' },
    plan: { column: 'plan', type: 'text' },
    mrrMinor: { column: 'mrr_minor', type: 'bigint' },
    currency: { column: 'currency', type: 'text' },
    startedAt: { column: 'started_at', type: 'timestamptz' },
    cancelledAt: { column: 'cancelled_at', type: 'timestamptz' },
    cancelReason: { column: 'cancel_reason', type: 'text' },
    createdAt: { column: 'created_at', type: 'timestamptz' },
    updatedAt: { column: 'updated_at', type: 'timestamptz' },
  },
});

type ChangeKind = 'STARTED' | 'CHANGED' | 'CANCELLED';

/**
 * What a subscription went through from one state to the next, each with its business time. Told anew how it began, it
 * still began then: so a history that is told twice is the same history.
 */
function movements({ before, after }: Upserted<SubscriptionRow>, changedAt: Date): { kind: ChangeKind; at: Date }[] {
  const wasRunning = before !== null && before.cancelledAt === null;
  const runs = after.cancelledAt === null;
  const moves: { kind: ChangeKind; at: Date }[] = [];
  const changed = changedAt.getTime() === after.startedAt.getTime() ? 'STARTED' : 'CHANGED';
  if (before === null) moves.push({ kind: 'STARTED', at: after.startedAt });
  else if (!wasRunning && runs) moves.push({ kind: 'STARTED', at: changedAt });
  else if (wasRunning && runs && worthOf(before) !== worthOf(after)) moves.push({ kind: changed, at: changedAt });
  if ((before === null || wasRunning) && after.cancelledAt !== null)
    moves.push({ kind: 'CANCELLED', at: after.cancelledAt });
  return moves;
}

const worthOf = (row: SubscriptionRow): string => `${row.plan}\0${row.mrrMinor}\0${row.currency}`;

const changedAtOf = (input: SubscriptionFields, row: SubscriptionRow): Date => input.changedAt ?? row.updatedAt;

/** What customers pay regularly. Every state is kept, since revenue movements are reckoned from them. */
export const subscriptions: RecordKind<SubscriptionFields, SubscriptionRow> = {
  what: 'subscription',
  origin: 'upsert',
  schema: subscriptionInput,
  store,
  key: (input) => [input.externalId],
  seenAt: (input) => input.startedAt,
  decide(input, customerId, was, rules) {
    const plan = input.plan ?? was?.plan;
    const mrrMinor = input.mrrMinor ?? was?.mrrMinor;
    const currency = input.currency ?? was?.currency;
    if (plan === undefined) return rules.invalid('plan', undefined, 'is needed for a new subscription');
    if (mrrMinor === undefined) return rules.invalid('mrrMinor', undefined, 'is needed for a new subscription');
    if (currency === undefined) return rules.invalid('currency', undefined, 'is needed for a new subscription');
    const startedAt = kept(input.startedAt, was?.startedAt, rules.now);
    const cancelledAt = given(input.cancelledAt, was?.cancelledAt, null);
    const future = rules.future({
      startedAt: input.startedAt,
      cancelledAt: input.cancelledAt,
      changedAt: input.changedAt,
    });
    if (future !== null) return future;
    if (cancelledAt !== null && cancelledAt < startedAt) {
      return rules.invalid('cancelledAt', cancelledAt, 'lies before startedAt');
    }
    if (input.changedAt instanceof Date && input.changedAt < startedAt) {
      return rules.invalid('changedAt', input.changedAt, 'lies before startedAt');
    }
    if (cancelledAt === null && typeof input.cancelReason === 'string') {
      return rules.invalid('cancelReason', input.cancelReason, 'needs cancelledAt');
    }
    return {
      id: was?.id ?? newId(),
      externalId: input.externalId,
      customerId,
      plan,
      mrrMinor,
      currency,
      startedAt,
      cancelledAt,
      cancelReason: cancelledAt === null ? null : given(input.cancelReason, was?.cancelReason, null),
      createdAt: was?.createdAt ?? rules.now,
      updatedAt: rules.now,
    };
  },
  tell(facts, upserted, input) {
    const { before, after } = upserted;
    const { customerId, externalId, plan, mrrMinor, currency } = after;
    const payload = { subscriptionId: after.id, plan, mrrMinor, currency };
    const money = { amountMinor: mrrMinor, currency };
    const properties = { subscriptionId: externalId, plan };
    for (const { kind, at } of movements(upserted, changedAtOf(input, after))) {
      const time = at.toISOString();
      const derived = { externalId, state: time, customerId, at, money, properties };
      if (kind === 'STARTED') {
        facts.events.push(newEvent(subscriptionStarted, { customerId, at, payload: { ...payload, startedAt: time } }));
        facts.stream.push({ ...derived, name: 'subscription.started' });
      } else if (kind === 'CANCELLED') {
        facts.events.push(
          newEvent(subscriptionCancelled, { customerId, at, payload: { ...payload, cancelledAt: time } }),
        );
        facts.stream.push({ ...derived, name: 'subscription.cancelled' });
      } else if (before !== null) {
        const from = { plan: before.plan, mrrMinor: before.mrrMinor, currency: before.currency };
        facts.events.push(
          newEvent(subscriptionChanged, { customerId, at, payload: { ...payload, from, changedAt: time } }),
        );
        facts.stream.push({ ...derived, name: 'subscription.changed' });
      }
    }
  },
  async after(tx, done) {
    const rows = done.flatMap(({ input, upserted }) =>
      upserted.before === upserted.after
        ? []
        : movements(upserted, changedAtOf(input, upserted.after)).map((move) => ({ ...move, row: upserted.after })),
    );
    await keepHistory(tx, rows);
  },
};

async function keepHistory(
  tx: Tx,
  moves: readonly { readonly kind: ChangeKind; readonly at: Date; readonly row: SubscriptionRow }[],
): Promise<void> {
  if (moves.length === 0) return;
  // Of two states from the same instant the later told one holds; an end has no revenue.
  const last = new Map(moves.map((move) => [`${move.row.id} ${move.at.getTime()}`, move]));
  const rows = [...last.values()];
  await tx.query(
    `insert into subscription_change (subscription_id, at, customer_id, plan, mrr_minor, currency, kind, recorded_at)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::timestamptz[])
     on conflict (subscription_id, at) do update set plan = excluded.plan, mrr_minor = excluded.mrr_minor,
       currency = excluded.currency, kind = excluded.kind, recorded_at = excluded.recorded_at`,
    [
      rows.map(({ row }) => row.id),
      rows.map(({ at }) => at.toISOString()),
      rows.map(({ row }) => row.customerId),
      rows.map(({ row }) => row.plan),
      rows.map(({ row, kind }) => (kind === 'CANCELLED' ? 0 : row.mrrMinor)),
      rows.map(({ row }) => row.currency),
      rows.map(({ kind }) => kind),
      rows.map(({ row }) => row.updatedAt.toISOString()),
    ],
    { name: 'subscription_history' },
  );
}
