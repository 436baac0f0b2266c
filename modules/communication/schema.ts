import { type Builder, connectionArgs, connectionType, encodeGlobalId } from '../../src/core/builder/index.ts';
import { partField } from '../../src/core/graph/index.ts';
import { type MessageShape, messagesPart } from './parts.ts';

/** `Customer.messages`. */
export function communicationSchema(builder: Builder): void {
  const State = builder.enumType('MessageState', {
    description: 'Where a message is on its way.',
    values: {
      QUEUED: { description: 'Written, waits to be sent.' },
      SENT: { description: 'The mail server accepted it.' },
      HELD: { description: 'Laid into the local outbox, because no mail server is set.' },
      FAILED: { description: 'Refused for good, or not deliverable within its attempts; `reason` says why.' },
      SUPPRESSED: { description: 'Not sent on purpose; `reason` says why.' },
    } as const,
  });
  const Message = builder.objectRef<MessageShape>('Message').implement({
    description: 'A message to a contact of a customer. After an erasure only that it existed is left.',
    fields: (t) => ({
      id: t.id({ description: 'Global id.', resolve: (m) => encodeGlobalId('Message', m.id) }),
      topic: t.exposeString('topic', { description: 'What consent is asked by.' }),
      template: t.exposeString('template', { description: 'The template it was written with.' }),
      state: t.field({ type: State, description: 'Where it is on its way.', resolve: (m) => m.state }),
      recipient: t.exposeString('recipient', { nullable: true, description: 'E-mail address.' }),
      subject: t.exposeString('subject', { nullable: true, description: 'Subject line.' }),
      preview: t.exposeString('preview', {
        nullable: true,
        description: 'The line mail programs show beside the subject.',
      }),
      html: t.exposeString('html', { nullable: true, description: 'The message as HTML.' }),
      text: t.exposeString('text', { nullable: true, description: 'The message as plain text.' }),
      reason: t.exposeString('reason', { nullable: true, description: 'Why it failed or was suppressed.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
      sentAt: t.expose('sentAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was sent or laid into the local outbox.',
      }),
    }),
  });
  partField(builder, messagesPart, 'messages', {
    type: connectionType(builder, { name: 'Message', node: Message }),
    scope: 'communication:read',
    description: 'Messages to the contacts of this customer, newest first.',
    args: (arg) => connectionArgs(arg),
  });
}
