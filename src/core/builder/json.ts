/** A JSON value as a caller sent it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object as a caller sent it. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
