import { checkFirst, decodeCursor, type Page, pageOf } from '../../src/core/builder/index.ts';
import { defineCustomerPart } from '../../src/core/graph/index.ts';
import type { MessageState } from './store.ts';

/** A message as the graph reads it. */
export interface MessageShape {
  readonly id: string;
  readonly topic: string;
  readonly template: string;
  readonly state: MessageState;
  readonly recipient: string | null;
  readonly subject: string | null;
  readonly preview: string | null;
  readonly html: string | null;
  readonly text: string | null;
  readonly reason: string | null;
  readonly createdAt: string;
  readonly sentAt: string | null;
}

interface PageArgs extends Readonly<Record<string, unknown>> {
  readonly first: number;
  readonly after?: string | null;
}

/** Messages of a customer, newest first: the ids grow with time, so they are the keyset. */
export const messagesPart = defineCustomerPart<Page<MessageShape>, PageArgs>({
  name: 'messages',
  sql(customer, { first, after }, bind) {
    const limit = checkFirst(first) + 1;
    const behind = after === null || after === undefined ? '' : `and m.id < ${bind(decodeCursor(after, 1)[0])}::uuid`;
    return `(
      select coalesce(json_agg(p), '[]'::json) from (
        select m.id, m.topic, m.template, m.state, m.recipient, m.subject, m.preview, m.html, m.text, m.reason,
               m.created_at as "createdAt", m.sent_at as "sentAt"
        from message m where m.customer_id = ${customer}.id ${behind} order by m.id desc limit ${bind(limit)}::int) p)`;
  },
  parse: (json, { first, after }) =>
    pageOf(json as MessageShape[], { first, after, cursorOf: (message) => [message.id] }),
});
