import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import type { CustomerPort } from '../customers/contract.ts';
import type { LoyaltyPort } from '../loyalty/contract.ts';
import { communicationEvents } from './contract.ts';
import { communicationHandlers } from './handlers.ts';
import { communicationJobs } from './jobs.ts';
import { communicationSchema } from './schema.ts';
import { createCommunicationService } from './service.ts';
import { type SmtpOptions, smtpTransport } from './transport.ts';

/** Messages to customers: written in a transaction, sent by a job. */
export function communication(
  infra: Infrastructure,
  ports: { readonly customers: CustomerPort; readonly loyalty: LoyaltyPort },
  smtp: SmtpOptions | null,
) {
  const transport = smtp === null ? null : smtpTransport(smtp);
  const service = createCommunicationService(infra, ports, transport);
  return defineModule({
    name: 'communication',
    service,
    events: communicationEvents,
    scopes: [
      { name: 'communication:read', description: 'Read messages and the local outbox.' },
      { name: 'communication:write', description: 'Send messages.' },
    ],
    handlers: communicationHandlers(service),
    jobs: communicationJobs(service),
    schema: communicationSchema,
    close: () => transport?.close(),
  });
}
