import { z } from 'zod';
import { defineJob, type JobDefinition } from '../../../src/core/jobs.ts';
import type { EngagementPorts } from './ports.ts';
import { celebrate } from './service-appreciation.ts';
import { recountHistory } from './service-history.ts';
import { endBrokenStreaks } from './service-streaks.ts';

export const RECOUNT_JOB = 'loyalty.recountHistory';
const CELEBRATE_JOB = 'loyalty.celebrate';
const STREAKS_JOB = 'loyalty.endStreaks';

/** Background work of engagement. */
export const engagementJobs = (ports: EngagementPorts): JobDefinition[] => [
  defineJob({
    name: CELEBRATE_JOB,
    description:
      'Thanks the members whose anniversary it is, each once. Hourly, for whenever the day begins somewhere.',
    payload: z.object({}),
    schedule: '11 * * * *',
    async run(_payload, { signal, logger }) {
      const members = await celebrate(ports, CELEBRATE_JOB, signal);
      if (members > 0) logger.info({ members }, 'members were thanked on their anniversary');
    },
  }),
  defineJob({
    name: STREAKS_JOB,
    description: 'Tells of streaks that are over.',
    payload: z.object({}),
    schedule: '*/15 * * * *',
    async run(_payload, { signal, logger }) {
      const streaks = await endBrokenStreaks(ports, STREAKS_JOB, signal);
      if (streaks > 0) logger.info({ streaks }, 'streaks are over');
    },
  }),
  defineJob({
    name: RECOUNT_JOB,
    description: 'Reckons anew what history says of the time before counting began, after an import. Rewards nothing.',
    payload: z.object({}),
    run: (_payload, { signal }) => recountHistory(ports, signal),
  }),
];
