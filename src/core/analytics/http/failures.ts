import { ClickHouseError } from '@clickhouse/client';
import { messageOf } from '../../errors.ts';

/** A refusal of the interface itself, in ClickHouse's numbers. */
export class ProtocolError extends Error {
  readonly code: number;
  readonly type: string;

  constructor(code: number, type: string, message: string) {
    super(message);
    this.code = code;
    this.type = type;
  }
}

export interface HttpFailure {
  readonly status: number;
  readonly code: number;
  /** `Code: N. DB::Exception: ... (TYPE)`, which clients parse. */
  readonly text: string;
}

/** Status codes as ClickHouse's own HTTP handler chooses them. */
const STATUS_BY_CODE = new Map<number, number>([
  [516, 401],
  [497, 403],
  [404, 404],
  [60, 404],
  [81, 404],
  [48, 501],
  [202, 503],
  [241, 500],
  // Syntax, unknown names and unreadable values are the caller's.
  ...[6, 26, 27, 36, 38, 41, 42, 43, 44, 46, 47, 53, 62, 63, 69, 70, 72, 73, 115, 117, 130, 131, 456, 457].map(
    (code): [number, number] => [code, 400],
  ),
]);

/** Any error in the form that goes over the wire. */
export function failureOf(error: unknown): HttpFailure {
  const known = error instanceof ClickHouseError || error instanceof ProtocolError;
  const code = known ? Number(error.code) : 1002;
  const type = known ? (error.type ?? 'UNKNOWN') : 'UNKNOWN_EXCEPTION';
  const status = STATUS_BY_CODE.get(code) ?? 500;
  return { status, code, text: `Code: ${code}. DB::Exception: ${messageOf(error).trim()} (${type})` };
}
