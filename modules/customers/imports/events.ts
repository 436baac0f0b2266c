import { z } from 'zod';
import { defineEvent } from '../../../src/core/events/index.ts';
import { IMPORT_STATES, PHASES } from './model.ts';

export const importProgressed = defineEvent({
  type: 'customers.importProgressed',
  version: 1,
  description: 'An import came further, stopped, or ended. At most one a second for each import.',
  payload: z.object({
    importId: z.uuid(),
    state: z.enum(IMPORT_STATES),
    /** The last complete phase. */
    phase: z.enum(PHASES),
    bytesDone: z.int(),
    bytesTotal: z.int(),
    rowsDone: z.int(),
    rowsTotal: z.int().nullable(),
    rowsRefused: z.int(),
  }),
});

/** All of them, for the module's table of contents. */
export const importEvents = [importProgressed];
