import { Counter, Gauge } from 'prom-client';
import { type Principal, Unauthenticated } from '../../core/access/index.ts';
import type { Queryable } from '../../core/database/index.ts';
import type { DomainError } from '../../core/errors.ts';
import {
  CursorExpired,
  checkReadable,
  type EventFilter,
  type EventRegistry,
  encodeCursor,
  readPage,
  type StoredEvent,
  type Tail,
  type TailBatch,
} from '../../core/events/index.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import { KeyEnded, ServerStopping, StreamInterrupted, SubscriberTooSlow, TooManySubscriptions } from './errors.ts';
import { createGroup, type Group } from './group.ts';
import type { StreamRequest } from './operation.ts';
import { createSlots } from './slots.ts';
import { type Client, createSubscription, type Sink, type Subscription } from './subscription.ts';
import type { SubscriptionHost, SubscriptionLimits } from './types.ts';

export interface HubOptions {
  readonly host: Pick<SubscriptionHost, 'schema' | 'present' | 'authenticate'>;
  readonly database: Queryable;
  readonly registry: EventRegistry;
  readonly tail: Tail;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: SubscriptionLimits;
}

/** All subscriptions of this process, by what they ask for. */
export interface Hub {
  /**
   * Starts a subscription; its events go to the sink from now on, those after its cursor first.
   * @throws CursorExpired, CursorInvalid, TooManySubscriptions
   */
  subscribe(request: StreamRequest, client: Client, sink: Sink): Promise<Subscription>;
  /** Ends the streams of keys that have expired or were revoked. */
  checkKeys(): Promise<void>;
  readonly size: number;
  /** Ends all streams with their cursors. */
  stop(): void;
}

const HISTORY_PAGE = 200;
/** Catching up reads the table; this many at once leave connections to everybody else. */
const CONCURRENT_HISTORY = 4;
const ANY_CUSTOMER = '';

export function createHub(options: HubOptions): Hub {
  const { host, database, registry, tail, logger, limits } = options;
  const groups = new Map<string, Group>();
  /** Groups by the customer they are limited to, so that an event meets only those that can want it. */
  const byCustomer = new Map<string, Set<Group>>();
  const all = new Map<Subscription, Group>();
  const perKey = new Map<string, number>();
  const history = createSlots(CONCURRENT_HISTORY);
  const measured = createMeasures(options.metrics, () => all.keys(), tail);
  let stopped = false;

  const onBatch = (batch: TailBatch) => {
    if (batch.events.length === 0 || groups.size === 0) return;
    const matched = new Map<Group, StoredEvent[]>();
    for (const event of batch.events) {
      for (const customer of event.customerId === null ? [ANY_CUSTOMER] : [ANY_CUSTOMER, event.customerId]) {
        for (const group of byCustomer.get(customer) ?? []) {
          if (!wants(group, event)) continue;
          const events = matched.get(group);
          if (events === undefined) matched.set(group, [event]);
          else events.push(event);
        }
      }
    }
    for (const [group, events] of matched) group.push(events);
  };
  const unsubscribe = tail.subscribe(onBatch);

  const onBroken = (group: Group, why: string, error?: unknown) => {
    logger.error({ err: error, subscribers: group.members.size }, why);
    for (const member of group.members) member.end((cursor) => new StreamInterrupted(cursor, why));
  };

  /** A filter that fails ends the streams of those who asked for it, and of nobody else. */
  const wants = (group: Group, event: StoredEvent): boolean => {
    try {
      return group.matches(event);
    } catch (error) {
      onBroken(group, 'The filter failed.', error);
      return false;
    }
  };

  const groupOf = (request: StreamRequest, principal: Principal): Group => {
    const key = `${[...principal.scopes].sort().join(' ')}\n${request.key}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = createGroup({
        key,
        host,
        request,
        scopes: principal.scopes,
        pendingEvents: limits.pendingEvents,
        onBroken,
      });
      groups.set(key, group);
      const customer = request.customerId ?? ANY_CUSTOMER;
      byCustomer.set(customer, (byCustomer.get(customer) ?? new Set()).add(group));
    }
    return group;
  };

  const leave = (subscription: Subscription, why: string) => {
    const group = all.get(subscription);
    all.delete(subscription);
    const { id } = subscription.client.principal;
    const left = (perKey.get(id) ?? 1) - 1;
    if (left === 0) perKey.delete(id);
    else perKey.set(id, left);
    measured.ended.inc({ reason: why });
    group?.members.delete(subscription);
    if (group === undefined || group.members.size > 0) return;
    groups.delete(group.key);
    const customer = group.request.customerId ?? ANY_CUSTOMER;
    byCustomer.get(customer)?.delete(group);
    if (byCustomer.get(customer)?.size === 0) byCustomer.delete(customer);
  };

  /** Where a subscription stands: what the tail has handed out is behind it, unless its group still works on it. */
  const end = (subscription: Subscription, reason: (cursor: string) => DomainError) => {
    const group = all.get(subscription);
    if (group?.busy === false && subscription.live) subscription.caughtUpTo(tail.position);
    subscription.end(reason);
  };

  const refusalOf = async (authorization: string | undefined): Promise<DomainError | null> => {
    try {
      await host.authenticate(authorization);
      return null;
    } catch (error) {
      if (error instanceof Unauthenticated) return error;
      // Not knowing is no reason to end a stream: the next check will know.
      logger.warn({ err: error }, 'a key could not be checked');
      return null;
    }
  };

  const catchUp = async (subscription: Subscription, group: Group): Promise<void> => {
    const filter: EventFilter = {
      ...(group.request.types === null ? {} : { types: [...group.request.types] }),
      ...(group.request.customerId === null ? {} : { customerId: group.request.customerId }),
    };
    for (let more = true; more && !subscription.ended; ) {
      const after = subscription.position;
      const page = await history(async () => {
        const read = await readPage(database, registry, after, HISTORY_PAGE, filter);
        // Retention may have passed between two pages.
        await checkReadable(database, after);
        return read;
      });
      const events = page.events.filter((event) => group.request.accepts(event));
      if (events.length > 0) subscription.replay(await group.render(events));
      subscription.caughtUpTo(page.position);
      // Resuming is paced by the reader: it is slow only if it stops reading altogether.
      if (subscription.sink.bufferedBytes() > limits.bufferBytes / 2) await subscription.sink.drained();
      if (subscription.sink.bufferedBytes() > limits.bufferBytes) {
        subscription.end((cursor) => new SubscriberTooSlow(cursor, limits.bufferBytes));
      }
      more = page.full || !subscription.goLive();
    }
  };

  return {
    get size() {
      return all.size;
    },
    async subscribe(request, client, sink) {
      const { principal } = client;
      if (stopped) throw new ServerStopping(encodeCursor(request.after ?? tail.position));
      if (all.size >= limits.perProcess) throw new TooManySubscriptions('process', limits.perProcess);
      const own = perKey.get(principal.id) ?? 0;
      if (own >= limits.perKey) throw new TooManySubscriptions('key', limits.perKey);
      perKey.set(principal.id, own + 1);
      try {
        if (request.after !== null) await checkReadable(database, request.after);
      } catch (error) {
        perKey.set(principal.id, (perKey.get(principal.id) ?? 1) - 1);
        throw error;
      }
      const group = groupOf(request, principal);
      const subscription = createSubscription({
        client,
        sink,
        position: request.after ?? tail.position,
        live: request.after === null,
        bufferBytes: limits.bufferBytes,
        onDelivered: measured.delivered,
        onEnd: leave,
      });
      all.set(subscription, group);
      // A member from now on: what happens while the history is read is kept for it.
      group.members.add(subscription);
      if (request.after !== null) {
        catchUp(subscription, group).catch((error) => {
          if (error instanceof CursorExpired) subscription.end(() => error);
          else {
            logger.warn({ err: error }, 'a subscriber could not catch up');
            subscription.end((cursor) => new StreamInterrupted(cursor, 'The history could not be read.'));
          }
        });
      }
      return subscription;
    },
    async checkKeys() {
      const refusals = new Map<string, DomainError | null>();
      for (const subscription of [...all.keys()]) {
        const { authorization } = subscription.client;
        const cacheKey = authorization ?? '';
        if (!refusals.has(cacheKey)) refusals.set(cacheKey, await refusalOf(authorization));
        const refusal = refusals.get(cacheKey);
        if (refusal != null) end(subscription, (cursor) => new KeyEnded(cursor, refusal));
      }
    },
    stop() {
      stopped = true;
      unsubscribe();
      for (const subscription of all.keys()) end(subscription, (cursor) => new ServerStopping(cursor));
    },
  };
}

function createMeasures(metrics: Metrics, subscriptions: () => Iterable<Subscription>, tail: Tail) {
  new Gauge({
    name: 'holdfast_subscribers',
    help: 'Subscriptions open in this process.',
    labelNames: ['transport'],
    registers: [metrics],
    collect() {
      this.reset();
      for (const { sink } of subscriptions()) this.inc({ transport: sink.transport });
    },
  });
  new Gauge({
    name: 'holdfast_outbox_lag_seconds',
    help: 'How long committed events have been waiting behind an open transaction or a lost database.',
    registers: [metrics],
    collect() {
      this.set(tail.lagMs() / 1_000);
    },
  });
  // Counted in a plain number, since it is counted for every subscriber and event.
  let delivered = 0;
  new Counter({
    name: 'holdfast_subscription_events_total',
    help: 'Events written to subscribers.',
    registers: [metrics],
    collect() {
      this.inc(delivered);
      delivered = 0;
    },
  });
  return {
    delivered: (events: number) => {
      delivered += events;
    },
    ended: new Counter({
      name: 'holdfast_subscriptions_ended_total',
      help: 'Subscriptions ended, by the code of the reason; CLIENT when the client went, COMPLETE when all was told.',
      labelNames: ['reason'],
      registers: [metrics],
    }),
  };
}
