export { createBuilder, finishSchema } from './builder.ts';
export type { CursorKey, Page, PageInfo } from './connections.ts';
export {
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  encodeCursor,
  pageOf,
} from './connections.ts';
export type { Context } from './context.ts';
export { perOperation } from './context.ts';
export { type DomainErrorClass, domainError } from './domain-errors.ts';
export { decodeGlobalId, encodeGlobalId, isId } from './global-id.ts';
export type { JsonObject, JsonValue } from './json.ts';
export { batchMutationField, mutationField } from './mutations.ts';
export { type PeriodShape, periodInput, periodType } from './period.ts';
export type { CustomerNode, MoneyShape } from './shapes.ts';
export type { Builder, BuilderTypes } from './types.ts';
