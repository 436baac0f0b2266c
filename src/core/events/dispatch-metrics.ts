import { Gauge } from 'prom-client';
import type { Queryable } from '../database/index.ts';
import type { Metrics } from '../metrics.ts';

/** A handler and the types of events it gets. */
export interface HandlerTypes {
  readonly name: string;
  readonly types: readonly string[];
}

/** Shows what handlers have before them and what they failed at. Asked of the database when somebody looks. */
export function measureDeliveries(database: Queryable, metrics: Metrics, handlers: readonly HandlerTypes[]): void {
  new Gauge({
    name: 'holdfast_deliveries_open',
    help: 'Events a handler has not applied: parked (failed, to be tried again), waiting behind a parked one, dead letters.',
    labelNames: ['handler', 'state'],
    registers: [metrics],
    async collect() {
      const rows = await database.query<{ handler: string; state: string; count: number }>(
        `select handler, state, count(*)::int as count from event_delivery
         where state <> 'applied' and state <> 'dismissed' group by handler, state`,
      );
      this.reset();
      for (const { handler, state, count } of rows) this.set({ handler, state }, count);
    },
  });
  new Gauge({
    name: 'holdfast_dispatch_lag_seconds',
    help: 'Age of the oldest event that a handler has not come to yet.',
    labelNames: ['handler'],
    registers: [metrics],
    async collect() {
      const rows = await database.query<{ handler: string; eventId: string | null; nowMs: number }>(
        `select h.name as handler, first.id as "eventId", (extract(epoch from now()) * 1000)::float8 as "nowMs"
         from json_to_recordset($1) as h(name text, types json) join dispatch_cursor c on c.handler = h.name
         left join lateral (
           select o.id from outbox_event o
           where (o.epoch, o.xid, o.seq) > (c.epoch, c.xid, c.seq)
             and o.type in (select json_array_elements_text(h.types))
           order by o.epoch, o.xid, o.seq limit 1
         ) first on true`,
        [JSON.stringify(handlers)],
      );
      this.reset();
      for (const { handler, eventId, nowMs } of rows) {
        this.set({ handler }, eventId === null ? 0 : Math.max(0, nowMs - writtenAtMs(eventId)) / 1_000);
      }
    },
  });
}

/** A UUID v7 begins with the time it was made at; `at` of an event follows the business's clock, which may stand still. */
const writtenAtMs = (eventId: string): number => Number.parseInt(eventId.replace('-', '').slice(0, 12), 16);
