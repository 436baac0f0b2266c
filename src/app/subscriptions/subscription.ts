import type { Principal } from '../../core/access/principal.ts';
import type { DomainError } from '../../core/errors.ts';
import { comparePositions, encodeCursor, type Position } from '../../core/events/index.ts';
import { SubscriberTooSlow } from './errors.ts';
import type { RenderedBatch } from './frames.ts';

/** Where the messages of one subscription go: an SSE response, or an id on a WebSocket. */
export interface Sink {
  readonly transport: 'sse' | 'websocket';
  /** Bytes of the connection that the network has not taken yet. */
  bufferedBytes(): number;
  /** Writes the events of a batch from an index on. */
  write(batch: RenderedBatch, from: number): void;
  /** Resolves when the connection holds less, or is gone. */
  drained(): Promise<void>;
  /** Tells the reason if there is one, and ends the stream. */
  end(reason: DomainError | null): void;
}

/** Who subscribes: the principal, and the key it came with, to be checked again while the stream is open. */
export interface Client {
  readonly principal: Principal;
  readonly authorization: string | undefined;
}

/** One subscriber's place in the stream. */
export interface Subscription {
  readonly client: Client;
  readonly sink: Sink;
  readonly ended: boolean;
  /** The history is behind it. */
  readonly live: boolean;
  /** Everything up to here was written to the sink or does not concern it. */
  readonly position: Position;
  /** From the group: what has just happened. */
  deliver(batch: RenderedBatch): void;
  /** From the history; the caller heeds the sink's buffer. */
  replay(batch: RenderedBatch): void;
  /** The history was read up to here. */
  caughtUpTo(position: Position): void;
  /**
   * Goes over from history to what happens. False when too much happened meanwhile to be kept: read the history again.
   */
  goLive(): boolean;
  /** The cursor to go on from, now. */
  cursor(): string;
  /** Ends from our side, with a reason; or null when the client has gone. */
  end(reason: ((cursor: string) => DomainError) | null): void;
}

export interface SubscriptionOptions {
  readonly client: Client;
  readonly sink: Sink;
  readonly position: Position;
  readonly live: boolean;
  readonly bufferBytes: number;
  readonly onDelivered: (events: number) => void;
  /** @param why the code of the reason, CLIENT when the client went, COMPLETE when there is nothing more to come */
  readonly onEnd: (subscription: Subscription, why: string) => void;
}

export function createSubscription(options: SubscriptionOptions): Subscription {
  const { client, sink, bufferBytes, onDelivered, onEnd } = options;
  let position = options.position;
  let state: 'history' | 'live' | 'ended' = options.live ? 'live' : 'history';
  /** What happened while the history is read; the bytes are shared with the group's other members. */
  let kept: RenderedBatch[] = [];
  let keptBytes = 0;
  let overflowed = false;

  const write = (batch: RenderedBatch) => {
    if (state === 'ended') return;
    // Nearly always all of it is new; only a subscriber that has just caught up has seen a part.
    const from =
      comparePositions((batch.events[0] as RenderedBatch['events'][0]).position, position) > 0
        ? 0
        : batch.events.findIndex((event) => comparePositions(event.position, position) > 0);
    if (from === -1) return;
    sink.write(batch, from);
    position = batch.last;
    onDelivered(batch.events.length - from);
    if (!batch.completes) return;
    state = 'ended';
    kept = [];
    sink.end(null);
    onEnd(subscription, 'COMPLETE');
  };

  const subscription: Subscription = {
    client,
    sink,
    get ended() {
      return state === 'ended';
    },
    get live() {
      return state === 'live';
    },
    get position() {
      return position;
    },
    deliver(batch) {
      if (state === 'live') {
        // Refused before the buffer grows beyond its bound; what was written before still arrives.
        if (sink.bufferedBytes() > bufferBytes) this.end((cursor) => new SubscriberTooSlow(cursor, bufferBytes));
        else write(batch);
      } else if (state === 'history' && !overflowed) {
        kept.push(batch);
        for (const event of batch.events) keptBytes += event.json.length;
        if (keptBytes > bufferBytes) {
          overflowed = true;
          kept = [];
        }
      }
    },
    replay(batch) {
      if (state === 'history') write(batch);
    },
    caughtUpTo(reached) {
      if (comparePositions(reached, position) > 0) position = reached;
    },
    goLive() {
      if (state !== 'history') return true;
      const again = overflowed;
      overflowed = false;
      keptBytes = 0;
      if (again) return false;
      state = 'live';
      const batches = kept;
      kept = [];
      for (const batch of batches) write(batch);
      return true;
    },
    cursor: () => encodeCursor(position),
    end(reason) {
      if (state === 'ended') return;
      state = 'ended';
      kept = [];
      const error = reason === null ? null : reason(encodeCursor(position));
      if (error !== null) sink.end(error);
      onEnd(subscription, error?.code ?? 'CLIENT');
    },
  };
  return subscription;
}
