import type { Queryable, Tx } from '../../src/core/database/index.ts';

/** Where a message is on its way. */
export type MessageState = 'QUEUED' | 'SENT' | 'HELD' | 'FAILED' | 'SUPPRESSED';

/** A message as it is written: complete, before anything is sent. */
export interface NewMessage {
  readonly id: string;
  readonly uniqueKey: string;
  readonly customerId: string;
  readonly contactId: string;
  readonly topic: string;
  readonly template: string;
  readonly templateHash: string;
  readonly state: 'QUEUED' | 'SUPPRESSED';
  readonly recipient: string;
  readonly subject: string;
  readonly preview: string;
  readonly html: string;
  readonly text: string;
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly causationId: string | null;
  readonly correlationId: string;
}

/** Writes messages; one whose unique key exists already is left as it is. @returns ids of those written now */
export async function insertMessages(tx: Tx, messages: readonly NewMessage[]): Promise<Set<string>> {
  if (messages.length === 0) return new Set();
  const column = <T>(of: (message: NewMessage) => T): T[] => messages.map(of);
  const rows = await tx.query<{ id: string }>(
    `insert into message (id, unique_key, customer_id, contact_id, topic, template, template_hash, state, recipient, subject,
                          preview, html, text, reason, created_at, causation_id, correlation_id)
     select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                          $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::uuid[], $17::text[])
     on conflict (unique_key) do nothing returning id`,
    [
      column((m) => m.id),
      column((m) => m.uniqueKey),
      column((m) => m.customerId),
      column((m) => m.contactId),
      column((m) => m.topic),
      column((m) => m.template),
      column((m) => m.templateHash),
      column((m) => m.state),
      column((m) => m.recipient),
      column((m) => m.subject),
      column((m) => m.preview),
      column((m) => m.html),
      column((m) => m.text),
      column((m) => m.reason),
      column((m) => m.createdAt),
      column((m) => m.causationId),
      column((m) => m.correlationId),
    ],
  );
  return new Set(rows.map((row) => row.id));
}

/** What the sender needs of a message. */
export interface PendingMessage {
  readonly id: string;
  readonly customerId: string;
  readonly topic: string;
  readonly template: string;
  readonly recipient: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly correlationId: string;
}

/** A message that still waits; counts the attempt. Null when it is settled already, or its person was erased. */
export async function takeMessage(database: Queryable, id: string): Promise<PendingMessage | null> {
  const [row] = await database.query<PendingMessage>(
    `update message set attempts = attempts + 1 where id = $1 and state = 'QUEUED' and recipient is not null
     returning id, customer_id as "customerId", topic, template, recipient, subject, html, text, correlation_id as "correlationId"`,
    [id],
  );
  return row ?? null;
}

/** Ends a message's wait. @returns false when somebody else did meanwhile */
export async function settleMessage(
  tx: Tx,
  id: string,
  settled: { readonly state: 'SENT' | 'HELD' | 'FAILED'; readonly reason: string | null; readonly sentAt: Date | null },
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `update message set state = $2, reason = $3, sent_at = $4 where id = $1 and state = 'QUEUED' returning id`,
    [id, settled.state, settled.reason, settled.sentAt],
  );
  return rows.length === 1;
}

/** Takes everything personal out of the messages of erased customers; that they existed stays. */
export async function blankMessages(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query(
    `update message set recipient = null, subject = null, preview = null, html = null, text = null,
       state = case when state = 'QUEUED' then 'SUPPRESSED' else state end,
       reason = case when state = 'QUEUED' then 'ERASED' else reason end
     where customer_id = any($1::uuid[])`,
    [customerIds],
  );
}

/** Messages of merged customers belong to the one who lives on. */
export async function moveMessages(tx: Tx, fromIds: readonly string[], intoIds: readonly string[]): Promise<void> {
  await tx.query(
    `update message m set customer_id = t.into_id
     from unnest($1::uuid[], $2::uuid[]) as t(from_id, into_id) where m.customer_id = t.from_id`,
    [fromIds, intoIds],
  );
}

/** A message as the local outbox shows it. */
export interface HeldMessage {
  readonly id: string;
  readonly recipient: string | null;
  readonly subject: string | null;
  readonly html: string | null;
  readonly text: string | null;
  readonly sentAt: Date | null;
}

/** The local outbox, newest first. */
export function heldMessages(database: Queryable, limit: number): Promise<HeldMessage[]> {
  return database.query<HeldMessage>(
    `select id, recipient, subject, html, text, sent_at as "sentAt" from message where state = 'HELD' order by id desc limit $1`,
    [limit],
  );
}
