import { CursorInvalid } from './errors.ts';

/**
 * A place in the outbox. Order is (epoch, xid, seq): `xid` is the writing transaction, `seq` the order within it, and
 * `epoch` grows when the database moved to another cluster, whose transaction ids begin anew.
 */
export interface Position {
  readonly epoch: number;
  readonly xid: number;
  readonly seq: number;
}

/** Before every event. */
export const ORIGIN: Position = { epoch: 0, xid: 0, seq: 0 };

/** Negative when `a` stands before `b`, 0 when they are the same place. */
export const comparePositions = (a: Position, b: Position): number =>
  a.epoch - b.epoch || a.xid - b.xid || a.seq - b.seq;

/** The later of two places. */
export const later = (a: Position, b: Position): Position => (comparePositions(a, b) >= 0 ? a : b);

const SHAPE = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})$/;
const MAX_CURSOR_LENGTH = 60;

/** The opaque form partners keep. */
export const encodeCursor = ({ epoch, xid, seq }: Position): string =>
  Buffer.from(`${epoch}.${xid}.${seq}`, 'latin1').toString('base64url');

/** @throws CursorInvalid when the text is not one of ours */
export function decodeCursor(cursor: string): Position {
  const malformed = () => new CursorInvalid('The cursor is malformed.');
  if (cursor.length === 0 || cursor.length > MAX_CURSOR_LENGTH) throw malformed();
  const match = SHAPE.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match === null) throw malformed();
  const [epoch, xid, seq] = match.slice(1).map(Number) as [number, number, number];
  const position = { epoch, xid, seq };
  // Base64 has several spellings of the same bytes; only ours is accepted.
  if (![xid, seq].every(Number.isSafeInteger) || encodeCursor(position) !== cursor) throw malformed();
  return position;
}
