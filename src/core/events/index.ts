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
export { CursorExpired, CursorInvalid, DeadLetterNotFound } from './errors.ts';
export { appendEvents, OUTBOX_CHANNEL } from './outbox.ts';
