import type { ImportRun } from '../pipeline.ts';
import { sideTable } from '../tables.ts';

/** SQL of the rows of an import that take part: those that can be read and fit their order. */
export const partaking = (run: ImportRun): string =>
  `readable AND row NOT IN (SELECT row FROM ${sideTable(run, 'misfits')})`;

/** SQL of the stage of cleaning that takes a row out, or 'kept'. Stages 1 to 4 in their order; stage 5 drops nothing. */
export const takenOut = (run: ImportRun): string =>
  `multiIf(customer = '', 'no_customer',
     is_return, 'return',
     quantity <= 0 OR unit_price <= 0, 'not_positive',
     row IN (SELECT row FROM ${sideTable(run, 'duplicates')}), 'duplicate',
     'kept')`;

/** The product of a line, exact. */
export const AMOUNT = 'toDecimal128(assumeNotNull(quantity), 3) * assumeNotNull(unit_price)';
