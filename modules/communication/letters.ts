import { type Call, systemCall } from '../../src/core/call.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Tx } from '../../src/core/database/index.ts';
import { appendEvents, type DomainEvent, newEvent } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import { enqueue } from '../../src/core/jobs.ts';
import type { ContactFacts } from '../customers/contract.ts';
import { messageQueued } from './events.ts';
import type { MailTemplate } from './rendering.ts';
import { insertMessages, type NewMessage } from './store.ts';

export const SEND_JOB = 'communication.sendMessage';
const TOPIC = 'loyalty';
/** With graphile-worker's growing pauses: about a day of trying. */
const SEND_ATTEMPTS = 16;

/** What a contact is to be told because of an event. */
export interface Letter {
  readonly event: DomainEvent;
  readonly contact: ContactFacts;
  /** What about: one letter about an event and a contact. */
  readonly about: string;
  readonly template: MailTemplate;
  readonly variables: object;
}

/**
 * Writes one message per letter, in the transaction of the handler that asks, and asks for it to be sent. One that was
 * written before stays as it is; who said no gets none, and that is kept.
 */
export async function writeLetters(
  tx: Tx,
  clock: Clock,
  letters: readonly Letter[],
  callOf: (event: DomainEvent) => Call,
): Promise<void> {
  const messages = letters.map(({ event, contact, about, template, variables }): NewMessage => {
    const refused = contact.consent[TOPIC]?.granted === false;
    return {
      id: newId(),
      uniqueKey: `${about}:${event.id}:${contact.id}`,
      customerId: contact.customerId,
      contactId: contact.id,
      topic: TOPIC,
      template: template.name,
      templateHash: template.hash,
      state: refused ? 'SUPPRESSED' : 'QUEUED',
      reason: refused ? 'NO_CONSENT' : null,
      recipient: contact.email,
      ...template.render({ ...variables }),
      createdAt: clock.now(),
      causationId: event.id,
      correlationId: event.correlationId,
    };
  });
  const written = await insertMessages(tx, messages);
  const waiting = messages.filter((message) => message.state === 'QUEUED' && written.has(message.id));
  const causes = new Map(letters.map(({ event }) => [event.id, event]));
  for (const message of waiting) {
    const options = { key: `${SEND_JOB}:${message.id}`, maxAttempts: SEND_ATTEMPTS };
    await enqueue(tx, SEND_JOB, { messageId: message.id }, options);
  }
  const told = waiting.map((message) =>
    newEvent(messageQueued, {
      customerId: message.customerId,
      payload: { messageId: message.id, template: message.template, topic: message.topic },
      call: callOf(causes.get(message.causationId as string) as DomainEvent),
    }),
  );
  await appendEvents(tx, systemCall('communication'), clock, told);
}
