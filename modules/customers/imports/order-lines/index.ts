import type { Pipeline } from '../pipeline.ts';
import { cleanLines } from './clean.ts';
import { orderColumns, orderValues } from './columns.ts';
import { orderCustomers } from './customers.ts';
import { deriveOrders } from './derive.ts';
import { loadLines } from './load.ts';
import { isReadable } from './rules.ts';
import { validateLines } from './validate.ts';

/** Lines of orders: validated, cleaned and stored by the history engine; orders and customers stand in PostgreSQL. */
export const orderLines: Pipeline = {
  columns: orderColumns,
  derived: (options) => [...orderValues(options), { name: 'readable', type: 'Bool', sql: isReadable(options) }],
  validate: validateLines,
  clean: cleanLines,
  customers: orderCustomers,
  load: loadLines,
  derive: deriveOrders,
};
