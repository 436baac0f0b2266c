/**
 * The limit: raw SSE over node:http. It follows the same table by the same tail, serialises each batch once, and writes
 * the one buffer to everybody. No GraphQL, no filters, no cursors to resume from, no bounds.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDatabase } from '../../src/core/database/index.ts';
import { createEventRegistry, createTail } from '../../src/core/events/index.ts';
import { createLogger } from '../../src/core/logger.ts';

const [url = ''] = process.argv.slice(2);
const logger = createLogger('warn');
const database = createDatabase({ url, logger, maxConnections: 4 });
const tail = createTail({ database, registry: createEventRegistry([]), logger });
await tail.start();
const subscribers = new Set<ServerResponse>();

tail.subscribe(({ events }) => {
  if (events.length === 0) return;
  const text = events.map((event) => {
    const { cursor, id, at, payload } = event;
    const data = { events: { id, cursor, type: 'LOYALTY_POINTS_AWARDED', at, payload } };
    return `event: next\nid: ${cursor}\ndata: ${JSON.stringify({ data, extensions: { cursor } })}\n\n`;
  });
  const buffer = Buffer.from(text.join(''));
  for (const response of subscribers) response.write(buffer);
});

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(':\n\n');
  subscribers.add(response);
  response.on('close', () => subscribers.delete(response));
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1e3, subscribers: subscribers.size });
});
process.on('disconnect', () => process.exit());
