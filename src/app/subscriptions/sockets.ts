import type { Duplex } from 'node:stream';

/** How long what was written last may take to reach a client that reads slowly. */
const FLUSH_MS = 5_000;
/** A client that takes nothing at all for so long has stopped reading. */
const DRAIN_MS = 30_000;

/** Closes a connection after its last bytes, at the latest after a while. */
export function closeWhenFlushed(socket: Duplex | null): void {
  if (socket === null || socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), FLUSH_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end();
}

/** Resolves when the network has taken all that was written, the connection is gone, or the client does not read. */
export function whenDrained(socket: Duplex | null): Promise<void> {
  return new Promise((resolve) => {
    if (socket === null || socket.destroyed || !socket.writableNeedDrain) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, DRAIN_MS);
    socket.once('drain', done);
    socket.once('close', done);
  });
}
