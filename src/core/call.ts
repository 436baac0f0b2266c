import { newId } from './ids.ts';

/** Who asks. */
export interface Actor {
  readonly kind: 'apiKey' | 'system' | 'handler' | 'cli';
  readonly id: string;
  readonly name: string;
}

/** Who asks and why: handed to every service method, written into every event. */
export interface Call {
  readonly actor: Actor;
  /** Ties together all that one request from outside led to. */
  readonly correlationId: string;
  /** Id of the event that led to this call; null when it came from outside. */
  readonly causationId: string | null;
}

/** The actor as events and audit entries record it, e.g. `apiKey:0198…`. */
export const actorName = (actor: Actor): string => `${actor.kind}:${actor.id}`;

/** A call that Holdfast makes by itself: a job, the command line, a start-up step. */
export function systemCall(name: string, kind: 'system' | 'cli' = 'system'): Call {
  return { actor: { kind, id: name, name }, correlationId: newId(), causationId: null };
}
