import { z } from 'zod';
import { blankEvents, forgetEventsBefore } from '../../src/core/analytics/index.ts';
import { systemCall } from '../../src/core/call.ts';
import { defineJob, type JobDefinition } from '../../src/core/jobs.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { blankHistory, copyOrderLines, writeAliases } from './queries/history.ts';
import { publishOverdue } from './service/overdue.ts';
import { EVENT_MEMORY } from './settings.ts';

/** Identities forgotten per statement: each is a transaction of its own. */
const FORGET_BATCH = 20_000;
const DAY_MS = 86_400_000;

export const customerJobs = (infra: Infrastructure): readonly JobDefinition[] => [
  defineJob({
    name: 'customers.aliasHistory',
    description: 'Tells the history engine whose the events of merged customers are.',
    payload: z.object({ survivorId: z.uuid() }),
    run: ({ survivorId }) => writeAliases(infra.analytics, infra.database, survivorId),
  }),
  defineJob({
    name: 'customers.eraseHistory',
    description:
      'Takes the personal data of an erased customer out of the inbox, the history and the rejects of imports.',
    payload: z.object({ customerIds: z.array(z.uuid()), names: z.array(z.string()) }),
    async run({ customerIds, names }) {
      await blankEvents(infra.database, customerIds);
      await blankHistory(infra.analytics, customerIds, names);
    },
  }),
  defineJob({
    name: 'customers.copyOrderLines',
    description: 'Writes the lines of orders to the history, for whoever reckons by product.',
    payload: z.object({ orderIds: z.array(z.uuid()) }),
    run: ({ orderIds }) => copyOrderLines(infra.analytics, infra.database, orderIds, infra.systemClock.now()),
  }),
  defineJob({
    name: 'customers.publishOverdue',
    description: 'Publishes invoices that were due and are not paid.',
    payload: z.object({}),
    schedule: '*/5 * * * *',
    async run(_payload, { signal, logger }) {
      const invoices = await publishOverdue(infra, systemCall('customers.publishOverdue'), signal);
      if (invoices > 0) logger.info({ invoices }, 'published overdue invoices');
    },
  }),
  defineJob({
    name: 'customers.forgetEvents',
    description: 'Forgets identities of events beyond the remembered window.',
    payload: z.object({}),
    schedule: '23 3 * * *',
    async run(_payload, { signal, logger }) {
      const days = await infra.settings.get(EVENT_MEMORY);
      const before = new Date(infra.systemClock.now().getTime() - days * DAY_MS);
      let forgotten = 0;
      for (;;) {
        signal.throwIfAborted();
        const count = await forgetEventsBefore(infra.database, before, FORGET_BATCH);
        forgotten += count;
        if (count < FORGET_BATCH) break;
      }
      if (forgotten > 0) logger.info({ forgotten, before }, 'forgot identities of events');
    },
  }),
];
