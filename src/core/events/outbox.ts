import { actorName, type Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { plainArray, type Tx, textArray, type Write, writeTogether } from '../database/index.ts';
import { newId } from '../ids.ts';
import type { NewEvent } from './definition.ts';

/** The channel that wakes readers. It is an alarm clock only: the table is the truth. */
export const OUTBOX_CHANNEL = 'holdfast_outbox';

/** Events per statement; more are split, in order. */
const MAX_ROWS = 2_000;

// Transaction id and sequence come from the columns' defaults.
const APPEND = `
  insert into outbox_event (id, type, version, at, customer_id, actor, correlation_id, causation_id, payload)
  select * from unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[],
                       $8::uuid[], $9::jsonb[])`;

/**
 * The write behind `appendEvents`, for hot paths that send it together with their own (`writeTogether`).
 * @throws Error when a payload does not fit its definition, which is a fault of the program
 */
export function eventsWrite(call: Call, clock: Clock, events: readonly NewEvent[]): Write & { readonly ids: string[] } {
  const rows = events.map((event) => toRow(event, event.call ?? call, clock));
  const ids = rows.map((row) => row.id);
  return {
    ids,
    name: 'outbox_append',
    text: APPEND,
    values: [
      plainArray(ids),
      plainArray(rows.map((row) => row.type)),
      plainArray(rows.map((row) => row.version)),
      plainArray(rows.map((row) => row.at)),
      plainArray(rows.map((row) => row.customerId)),
      textArray(rows.map((row) => row.actor)),
      textArray(rows.map((row) => row.correlationId)),
      plainArray(rows.map((row) => row.causationId)),
      textArray(rows.map((row) => row.payload)),
    ],
    // PostgreSQL drops repeated notifications of a transaction, so each commit wakes readers once however often this runs.
    select: `pg_notify('${OUTBOX_CHANNEL}', '')`,
  };
}

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
    const write = eventsWrite(call, clock, events.slice(start, start + MAX_ROWS));
    await writeTogether(tx, [write]);
    ids.push(...write.ids);
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
