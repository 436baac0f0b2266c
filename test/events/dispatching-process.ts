/** A worker process for the crash test: dispatches until it is killed and tells its parent what it is about to commit. */
import { createDatabase } from '../../src/core/database/index.ts';
import { createDispatcher, createTail, type HandlerDefinition } from '../../src/core/events/index.ts';
import { counted, logger, numberOf, registry } from './definitions.ts';

const [url = ''] = process.argv.slice(2);
const database = createDatabase({ url, logger, maxConnections: 6 });

const handler = (name: string): HandlerDefinition => ({
  name,
  on: [counted],
  batchSize: 10,
  startsFrom: 'replay',
  async handle(tx, events) {
    await tx.query(
      'insert into applied (handler, event_id, customer_id, n) select $1, * from unnest($2::uuid[], $3::uuid[], $4::int[])',
      [name, events.map((event) => event.id), events.map((event) => event.customerId), events.map(numberOf)],
    );
    process.send?.(name);
    // Every 13th number fails when it comes with others, so that the slow path is under fire as well.
    if (events.length > 1 && events.some((event) => numberOf(event) % 13 === 0)) throw new Error('not together');
  },
});

const tail = createTail({ database, registry, logger });
await tail.start();
const dispatcher = createDispatcher({
  database,
  registry,
  tail,
  logger,
  handlers: [handler('test.one'), handler('test.two')],
});
await dispatcher.start();
process.send?.('ready');
