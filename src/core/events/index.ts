export { comparePositions, decodeCursor, encodeCursor, ORIGIN, type Position } from './cursor.ts';
export {
  createEventRegistry,
  type DomainEvent,
  defineEvent,
  type EventDefinition,
  type EventRegistry,
  isEvent,
  type NewEvent,
  newEvent,
  type StoredEvent,
} from './definition.ts';
export { createDispatcher, type Dispatcher, type DispatcherOptions } from './dispatcher.ts';
export { healEpoch, raiseEpoch } from './epoch.ts';
export { CursorExpired } from './errors.ts';
export type { Backoff, HandlerContext, HandlerDefinition } from './handler.ts';
export { appendEvents, eventsWrite } from './outbox.ts';
export { checkReadable, type EventFilter, type Page, presentPosition, readPage } from './reader.ts';
export { createTail, type Tail, type TailBatch } from './tail.ts';
