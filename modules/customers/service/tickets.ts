import { newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { ticketFirstResponse, ticketOpened, ticketSolved } from '../events.ts';
import { ticketInput } from '../inputs.ts';
import { createStore } from './store.ts';
import { given, kept, type RecordKind } from './upsert.ts';

export type TicketPriority = 'LOW' | 'NORMAL' | 'HIGH' | 'URGENT';

export interface TicketRow {
  readonly id: string;
  readonly externalId: string;
  readonly customerId: string;
  readonly priority: TicketPriority;
  readonly openedAt: Date;
  readonly firstResponseAt: Date | null;
  readonly solvedAt: Date | null;
  readonly satisfaction: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const store = createStore<TicketRow>({
  table: 'ticket',
  key: ['externalId'],
  columns: {
    id: { column: 'id', type: 'uuid' },
    externalId: { column: 'external_id', type: 'text' },
    customerId: { column: 'customer_id', type: 'uuid' },
    priority: { column: 'priority', type: 'text' },
    openedAt: { column: 'opened_at', type: 'timestamptz' },
    firstResponseAt: { column: 'first_response_at', type: 'timestamptz' },
    solvedAt: { column: 'solved_at', type: 'timestamptz' },
    satisfaction: { column: 'satisfaction', type: 'smallint' },
    createdAt: { column: 'created_at', type: 'timestamptz' },
    updatedAt: { column: 'updated_at', type: 'timestamptz' },
  },
});

/** Requests for help. */
export const tickets: RecordKind<ReturnType<typeof ticketInput.parse>, TicketRow> = {
  what: 'ticket',
  origin: 'upsert',
  schema: ticketInput,
  store,
  key: (input) => [input.externalId],
  seenAt: (input) => input.openedAt,
  decide(input, customerId, was, rules) {
    const { openedAt: opened, firstResponseAt: answered, solvedAt: solved } = input;
    const future = rules.future({ openedAt: opened, firstResponseAt: answered, solvedAt: solved });
    if (future !== null) return future;
    const openedAt = kept(opened, was?.openedAt, rules.now);
    const firstResponseAt = given(answered, was?.firstResponseAt, null);
    const solvedAt = given(solved, was?.solvedAt, null);
    if (firstResponseAt !== null && firstResponseAt < openedAt) {
      return rules.invalid('firstResponseAt', firstResponseAt, 'lies before openedAt');
    }
    if (solvedAt !== null && solvedAt < openedAt) return rules.invalid('solvedAt', solvedAt, 'lies before openedAt');
    return {
      id: was?.id ?? newId(),
      externalId: input.externalId,
      customerId,
      priority: kept(input.priority, was?.priority, 'NORMAL'),
      openedAt,
      firstResponseAt,
      solvedAt,
      satisfaction: given(input.satisfaction, was?.satisfaction, null),
      createdAt: was?.createdAt ?? rules.now,
      updatedAt: rules.now,
    };
  },
  tell(facts, { before, after }) {
    const { customerId, externalId, openedAt, firstResponseAt, solvedAt, satisfaction } = after;
    const payload = { ticketId: after.id, priority: after.priority, openedAt: openedAt.toISOString() };
    const properties = { ticketId: externalId, priority: after.priority };
    if (before === null) {
      facts.events.push(newEvent(ticketOpened, { customerId, payload, at: openedAt }));
      facts.stream.push({ name: 'ticket.opened', externalId, customerId, at: openedAt, properties });
    }
    if (firstResponseAt !== null && (before?.firstResponseAt ?? null) === null) {
      const answered = { ...payload, firstResponseAt: firstResponseAt.toISOString() };
      facts.events.push(newEvent(ticketFirstResponse, { customerId, payload: answered, at: firstResponseAt }));
      facts.stream.push({ name: 'ticket.first_response', externalId, customerId, at: firstResponseAt, properties });
    }
    const rated = satisfaction !== null && before?.satisfaction !== satisfaction;
    if (solvedAt !== null && ((before?.solvedAt ?? null) === null || rated)) {
      const done = { ...payload, solvedAt: solvedAt.toISOString(), satisfaction };
      facts.events.push(newEvent(ticketSolved, { customerId, payload: done, at: solvedAt }));
      // The state tells the rating apart, since the row received last wins and a rating may come later.
      facts.stream.push({
        name: 'ticket.solved',
        externalId,
        state: satisfaction ?? 'unrated',
        customerId,
        at: solvedAt,
        properties,
        ...(satisfaction === null ? {} : { value: satisfaction }),
      });
    }
  },
};
