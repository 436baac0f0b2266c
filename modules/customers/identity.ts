import { hash } from 'node:crypto';

/** Source of the events that Holdfast derives from records. */
export const OWN_SOURCE = 'holdfast';

/**
 * Identity of an event of the stream: an event is (source, id of the source). The first 16 bytes of SHA-256 of both, with
 * a zero byte between them, written as a UUID; in ClickHouse:
 * `toUUID(... lower(hex(substring(SHA256(concat(source, '\0', source_id)), 1, 16))) ...)`.
 */
export function eventUid(source: string, sourceId: string): string {
  const hex = hash('sha256', `${source}\0${sourceId}`, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** The source's id of a derived event: the same record in the same state gives the same event, by whichever way it came. */
export const derivedId = (name: string, externalId: string, state?: string | number): string =>
  state === undefined ? `${name}:${externalId}` : `${name}:${externalId}:${state}`;
