import { z } from 'zod';
import { defineJob, type JobDefinition } from '../../src/core/jobs.ts';
import { SEND_JOB } from './letters.ts';
import type { CommunicationService } from './service.ts';

export function communicationJobs(service: CommunicationService): JobDefinition[] {
  return [
    defineJob({
      name: SEND_JOB,
      description: 'Hands one message to the mail server, or lays it into the local outbox when there is none.',
      payload: z.object({ messageId: z.uuid() }),
      run: ({ messageId }, { lastAttempt }) => service.send(messageId, { last: lastAttempt }),
    }),
  ];
}
