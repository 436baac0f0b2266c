import { z } from 'zod';
import { defineEvent } from '../../src/core/events/index.ts';

const message = { messageId: z.uuid(), template: z.string(), topic: z.string() };

export const messageQueued = defineEvent({
  type: 'communication.messageQueued',
  version: 1,
  description: 'A message to a contact was written and waits to be sent.',
  payload: z.object(message),
});

export const messageSent = defineEvent({
  type: 'communication.messageSent',
  version: 1,
  description: 'A message was accepted by the mail server, or laid into the local outbox when there is none.',
  payload: z.object({ ...message, via: z.enum(['SMTP', 'LOCAL_OUTBOX']) }),
});

export const messageFailed = defineEvent({
  type: 'communication.messageFailed',
  version: 1,
  description: 'A message was refused for good, or could not be delivered within its attempts.',
  payload: z.object(message),
});

export const communicationEvents = [messageQueued, messageSent, messageFailed];
