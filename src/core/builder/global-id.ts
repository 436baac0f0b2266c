import { InvalidInput } from '../errors.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const typeName = /^[A-Z][A-Za-z0-9]{0,79}$/;

/** Whether a text is an id as Holdfast makes them (lower-case UUID): only such may reach a `uuid` column. */
export const isId = (text: string): boolean => uuid.test(text);

/** The Relay id of a record: opaque outside, type and UUID inside. */
export function encodeGlobalId(typename: string, id: string | number | bigint): string {
  return Buffer.from(`${typename}:${id}`, 'latin1').toString('base64url');
}

/** Takes a Relay id apart; anything this API did not make is InvalidInput. */
export function decodeGlobalId(globalId: string): { typename: string; id: string } {
  const text = globalId.length > 200 ? '' : Buffer.from(globalId, 'base64url').toString('latin1');
  const colon = text.indexOf(':');
  const typename = text.slice(0, Math.max(colon, 0));
  const id = text.slice(colon + 1);
  if (!typeName.test(typename) || !isId(id)) {
    throw new InvalidInput('This is no id of this API. Ids are opaque: hand back what a query gave you.', {
      path: ['id'],
    });
  }
  return { typename, id };
}
