import pg from 'pg';
import { eventUid } from '../modules/customers/identity.ts';
import { newId } from '../src/core/ids.ts';

/** An event as the benchmark makes it; both sides get the same. */
export interface BenchEvent {
  readonly id: string;
  readonly name: string;
  readonly at: string;
  /** Which customer, by its number. */
  readonly customer: number;
  readonly value: number | null;
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * The limit: the statement a program would write that has to keep the same rows and nothing else, without HTTP, without
 * GraphQL, without a rule. `unnest` of the batch into tables of the same shape and indexes, ON CONFLICT DO NOTHING.
 */
export async function createLimit(url: string, customerIds: readonly string[], connections: number) {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  await pool.query(`
    drop table if exists bench_seen, bench_inbox;
    create table bench_seen (like event_seen including all);
    create table bench_inbox (like event_inbox including all)`);
  return {
    async record(events: readonly BenchEvent[]): Promise<void> {
      const at = new Date();
      const batchId = newId();
      const uids = events.map((event) => eventUid('bench', event.id));
      await pool.query({
        name: 'limit',
        text: `with e as (
            select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::numeric[], $7::jsonb[])
              as t(event_uid, source_id, customer_id, name, at, value, properties)
          ), fresh as (
            insert into bench_seen (event_uid, seen_at) select event_uid, $8 from e on conflict do nothing returning event_uid
          )
          insert into bench_inbox (event_uid, source, source_id, customer_id, name, at, value, currency, properties, batch_id, accepted_at)
          select event_uid, 'bench', source_id, customer_id, name, at, value, null, properties, $9, $8 from e join fresh using (event_uid)
          on conflict do nothing`,
        values: [
          uids,
          events.map((event) => event.id),
          events.map((event) => customerIds[event.customer]),
          events.map((event) => event.name),
          events.map((event) => event.at),
          events.map((event) => event.value),
          events.map((event) => JSON.stringify(event.properties)),
          at,
          batchId,
        ],
      });
    },
    close: () => pool.end(),
  };
}
