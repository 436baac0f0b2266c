import { z } from 'zod';
import { defineEvent } from '../../src/core/events/index.ts';

export const customerChurned = defineEvent({
  type: 'churn.customerChurned',
  version: 1,
  description: 'A customer is gone: by inactivity, by cancelling, or because an operator said so.',
  payload: z.object({ at: z.iso.datetime(), cause: z.enum(['INACTIVITY', 'CANCELLATION', 'OPERATOR']) }),
});

export const customerReactivated = defineEvent({
  type: 'churn.customerReactivated',
  version: 1,
  description: 'A customer who was gone came back.',
  payload: z.object({ at: z.iso.datetime() }),
});

export const churnEvents = [customerChurned, customerReactivated];
