import { actorName, type Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Tx } from '../database/index.ts';
import { newId } from '../ids.ts';
import type { NewEvent } from './definition.ts';

/** The channel that wakes readers. It is an alarm clock only: the table is the truth. */
export const OUTBOX_CHANNEL = 'holdfast_outbox';

/** Events per statement; more are split, in order. */
const MAX_ROWS = 2_000;

// Transaction id and sequence come from the columns' defaults. PostgreSQL drops repeated notifications of a
// transaction, so each commit wakes readers once however often this runs.
const APPEND = `
  with appended as (
    insert into outbox_event (id, type, version, at, customer_id, actor, correlation_id, causation_id, payload)
    select * from unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[],
                         $8::uuid[], $9::jsonb[])
  )
  select pg_notify('${OUTBOX_CHANNEL}', '')`;

/**
 * Publishes facts in the transaction that makes them true: they become visible with its commit, or never.
 * @param call who asked; an event may name its own (`NewEvent.call`) when a batch serves several
 * @param clock gives the time of events that name none
 * @returns the ids of the events, in order
 * @throws Error when a payload does not fit its definition, which is a fault of the program
 */
export async function appendEvents(
  tx: Pick<Tx, 'query'>,
  call: Call,
  clock: Clock,
  events: readonly NewEvent[],
): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < events.length; start += MAX_ROWS) {
    const rows = events.slice(start, start + MAX_ROWS).map((event) => toRow(event, event.call ?? call, clock));
    await tx.query(
      APPEND,
      [
        rows.map((row) => row.id),
        rows.map((row) => row.type),
        rows.map((row) => row.version),
        rows.map((row) => row.at),
        rows.map((row) => row.customerId),
        rows.map((row) => row.actor),
        rows.map((row) => row.correlationId),
        rows.map((row) => row.causationId),
        rows.map((row) => row.payload),
      ],
      { name: 'outbox_append' },
    );
    for (const row of rows) ids.push(row.id);
  }
  return ids;
}

function toRow({ definition, customerId, payload, at }: NewEvent, call: Call, clock: Clock) {
  const parsed = definition.payload.safeParse(payload);
  if (!parsed.success) throw new Error(`the payload of a new ${definition.type} is wrong: ${parsed.error.message}`);
  return {
    id: newId(),
    type: definition.type,
    version: definition.version,
    at: (at ?? clock.now()).toISOString(),
    customerId,
    actor: actorName(call.actor),
    correlationId: call.correlationId,
    causationId: call.causationId,
    payload: JSON.stringify(parsed.data),
  };
}
