import { audit } from '../audit.ts';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/index.ts';
import type { DomainEvent, EventRegistry } from './definition.ts';
import { DISPATCH_CHANNEL } from './dispatcher.ts';
import { DeadLetterNotFound } from './errors.ts';
import { readByIds } from './reader.ts';

/** An event that a handler failed to apply as often as it may. */
export interface DeadLetter {
  readonly event: DomainEvent;
  readonly handler: string;
  readonly attempts: number;
  readonly error: string;
  readonly failedAt: Date;
}

/** Which dead letter: one event can be a dead letter of several handlers. */
export interface DeadLetterKey {
  readonly eventId: string;
  readonly handler: string;
}

/** What operators do about dead letters. */
export interface DeadLetters {
  /** A page in order of the event's id and handler, up to `limit` rows behind `after`. */
  list(options: {
    readonly limit: number;
    readonly after: DeadLetterKey | null;
    readonly handler: string | null;
  }): Promise<DeadLetter[]>;
  count(handler: string | null): Promise<number>;
  /** Gives the event to its handler again, with all attempts. @throws DeadLetterNotFound */
  retry(call: Call, key: DeadLetterKey): Promise<DeadLetter>;
  /** Gives the event up: the handler never gets it. @throws DeadLetterNotFound */
  dismiss(call: Call, key: DeadLetterKey): Promise<DeadLetter>;
}

interface Row extends DeadLetterKey {
  readonly attempts: number;
  readonly error: string;
  readonly failedAt: Date;
}

const COLUMNS = 'event_id as "eventId", handler, attempts, error, updated_at as "failedAt"';

/** @param clock the machine's: when an operator acted */
export function createDeadLetters(database: Database, registry: EventRegistry, clock: Clock): DeadLetters {
  const withEvents = async (rows: readonly Row[]): Promise<DeadLetter[]> => {
    const events = await readByIds(database, registry, [...new Set(rows.map((row) => row.eventId))]);
    const byId = new Map(events.map((event) => [event.id, event]));
    return rows.flatMap(({ eventId, handler, attempts, error, failedAt }) => {
      const event = byId.get(eventId);
      return event === undefined ? [] : [{ event, handler, attempts, error, failedAt }];
    });
  };

  const resolve = async (call: Call, key: DeadLetterKey, action: 'retry' | 'dismiss'): Promise<DeadLetter> => {
    const row = await database.transaction(async (tx) => {
      const rows = await tx.query<Row>(
        `update event_delivery d set state = $3, attempts = case when $3 = 'parked' then 0 else d.attempts end,
           next_attempt_at = case when $3 = 'parked' then now() end, updated_at = now()
         from (select event_id, handler, attempts, error, updated_at from event_delivery
               where event_id = $1 and handler = $2 and state = 'dead' for update) b
         where d.event_id = b.event_id and d.handler = b.handler
         returning d.event_id as "eventId", d.handler, b.attempts, b.error, b.updated_at as "failedAt"`,
        [key.eventId, key.handler, action === 'retry' ? 'parked' : 'dismissed'],
      );
      const found = rows[0];
      if (found === undefined) throw new DeadLetterNotFound(key.eventId, key.handler);
      await audit(tx, call, clock, {
        action: `events.${action}DeadLetter`,
        subject: `event:${key.eventId}`,
        detail: { ...key },
      });
      await tx.query('select pg_notify($1, $2)', [DISPATCH_CHANNEL, key.handler]);
      return found;
    });
    const [letter] = await withEvents([row]);
    if (letter === undefined) throw new DeadLetterNotFound(key.eventId, key.handler);
    return letter;
  };

  return {
    async list({ limit, after, handler }) {
      const rows = await database.query<Row>(
        `select ${COLUMNS} from event_delivery
         where state <> 'applied' and state = 'dead' and ($1::text is null or handler = $1)
           and ($2::uuid is null or (event_id, handler) > ($2::uuid, $3::text))
         order by event_id, handler limit $4`,
        [handler, after?.eventId ?? null, after?.handler ?? null, limit],
      );
      return withEvents(rows);
    },
    async count(handler) {
      const rows = await database.query<{ count: number }>(
        `select count(*)::int as count from event_delivery
         where state <> 'applied' and state = 'dead' and ($1::text is null or handler = $1)`,
        [handler],
      );
      return rows[0]?.count ?? 0;
    },
    retry: (call, key) => resolve(call, key, 'retry'),
    dismiss: (call, key) => resolve(call, key, 'dismiss'),
  };
}
