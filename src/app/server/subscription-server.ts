import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Admitted, Gate } from './gate.ts';

/**
 * Serves subscriptions. The HTTP server keeps queries and mutations to itself and hands over what is a subscription:
 * over SSE after it was admitted (key, scopes, limits and cost are checked), over WebSocket from the upgrade on.
 */
export interface SubscriptionServer {
  /** Answers an admitted subscription as an event stream. */
  handleSse(req: IncomingMessage, res: ServerResponse, operation: Admitted): void | Promise<void>;
  /** Takes over a connection that asked to become a WebSocket at /graphql; admits its operations through the gate. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells subscribers to come back elsewhere and lets them go. */
  close(): Promise<void>;
}

/** Makes the subscription server once the gate is there. */
export type MakeSubscriptionServer = (gate: Gate) => SubscriptionServer;
