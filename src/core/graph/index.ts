export type { CustomerTable } from './compose.ts';
export { type CustomersOptions, customerGraph } from './customers.ts';
export {
  batchPartField,
  columnField,
  customerRef,
  customerResolver,
  filterField,
  isPartField,
  loadPart,
  nestedPartField,
  orderValue,
  partField,
} from './fields.ts';
export type {
  Args,
  BatchPart,
  Bind,
  CustomerOrder,
  CustomerPart,
  DimensionSql,
  FilterSql,
  ListArgs,
  ListPart,
} from './part.ts';
export { defineBatchPart, defineCustomerPart, defineFilter, defineListPart, defineOrder } from './part.ts';
export type { CustomerGroup, Population } from './population.ts';
export {
  customerGroupType,
  dimensionValue,
  EVERYBODY,
  filterArg,
  groupByArg,
  memberSql,
  populationOf,
} from './population.ts';
