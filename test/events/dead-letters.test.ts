import { graphql } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBuilder, finishSchema } from '../../src/core/builder/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createDeadLetters } from '../../src/core/events/dead-letters.ts';
import { appendEvents, createDispatcher, createTail } from '../../src/core/events/index.ts';
import { eventsSchema } from '../../src/core/events/schema.ts';
import { deadLettersSchema } from '../../src/core/events/schema-dead-letters.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { call, count, counted, type EventsDatabase, logger, numberOf, openTestDatabase, registry } from './support.ts';

let db: EventsDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.drop());

it('operators page through dead letters, retry one and dismiss another', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const tail = createTail({ database: db.database, registry, logger });
  await tail.start();
  let broken = true;
  const applied: number[] = [];
  const dispatcher = createDispatcher({
    database: db.database,
    registry,
    tail,
    logger,
    metrics,
    handlers: [
      {
        name: 'test.fails',
        on: [counted],
        maxAttempts: 1,
        handle: async (_tx, events) => {
          if (broken) throw new Error('no such tier');
          applied.push(...events.map(numberOf));
        },
      },
    ],
  });
  await dispatcher.start();
  const ids = await db.database.transaction((tx) =>
    appendEvents(tx, call, systemClock, [count(1), count(2), count(3)]),
  );
  await dispatcher.drain();
  expect(await metrics.metrics()).toContain('holdfast_deliveries_open{handler="test.fails",state="dead"} 3');
  expect(await metrics.metrics()).toContain('holdfast_dispatch_lag_seconds{handler="test.fails"} 0');

  const builder = createBuilder({ prisma: db.database.prisma });
  eventsSchema(registry)(builder);
  deadLettersSchema(createDeadLetters(db.database, registry, systemClock))(builder);
  const schema = finishSchema(builder);
  const principal = { id: 'k', name: 'k', scopes: new Set(['admin']), expiresAt: null };
  const ask = async (source: string, variableValues: Record<string, unknown> = {}) => {
    const result = await graphql({ schema, source, variableValues, contextValue: { principal, call } });
    return JSON.parse(JSON.stringify(result)) as { data: Record<string, unknown> };
  };

  const page = await ask(
    '{ deadLetters(first: 2) { totalCount pageInfo { hasNextPage endCursor } edges { node { handler attempts error event { __typename id name payload } } } } }',
  );
  expect(page).toMatchObject({
    data: {
      deadLetters: {
        totalCount: 3,
        pageInfo: { hasNextPage: true },
        edges: [
          {
            node: {
              handler: 'test.fails',
              attempts: 1,
              error: 'no such tier',
              event: { __typename: 'OtherEvent', id: ids[0], name: 'test.counted', payload: { n: 1 } },
            },
          },
          { node: { event: { id: ids[1] } } },
        ],
      },
    },
  });
  const { endCursor } = (page.data.deadLetters as { pageInfo: { endCursor: string } }).pageInfo;
  const rest = await ask('query ($after: String) { deadLetters(after: $after) { edges { node { event { id } } } } }', {
    after: endCursor,
  });
  expect(rest.data).toEqual({ deadLetters: { edges: [{ node: { event: { id: ids[2] } } }] } });
  expect((await ask('{ deadLetters(handler: "test.other") { totalCount } }')).data).toEqual({
    deadLetters: { totalCount: 0 },
  });

  broken = false;
  const resolve = (mutation: string, eventId: string | undefined) =>
    ask(
      `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { __typename ... on DomainError { code path } } }`,
      { input: { eventId, handler: 'test.fails' } },
    );
  expect((await resolve('retryDeadLetter', ids[0])).data).toEqual({
    retryDeadLetter: { __typename: 'RetryDeadLetterSuccess' },
  });
  expect((await resolve('dismissDeadLetter', ids[1])).data).toEqual({
    dismissDeadLetter: { __typename: 'DismissDeadLetterSuccess' },
  });
  expect((await resolve('retryDeadLetter', ids[1])).data).toEqual({
    retryDeadLetter: {
      __typename: 'DeadLetterNotFound',
      code: 'EVENTS_DEAD_LETTER_NOT_FOUND',
      path: ['input', 'eventId'],
    },
  });
  expect((await resolve('retryDeadLetter', 'x')).data).toEqual({
    retryDeadLetter: { __typename: 'InvalidInput', code: 'CORE_INVALID_INPUT', path: ['input', 'eventId'] },
  });
  await dispatcher.drain();
  expect(applied).toEqual([1]);
  expect((await ask('{ deadLetters { totalCount } }')).data).toEqual({ deadLetters: { totalCount: 1 } });
  await dispatcher.stop();
  await tail.stop();
});

it('a dispatcher with nothing to retry leaves the database in peace', async () => {
  const asked = { retries: 0, tail: 0 };
  const database: typeof db.database = {
    ...db.database,
    query: (text, ...rest) => {
      if (text.includes('next_attempt_at')) asked.retries += 1;
      if (text.includes('outbox_event')) asked.tail += 1;
      return db.database.query(text, ...rest);
    },
  };
  const tail = createTail({ database, registry, logger, pollMs: 1 });
  await tail.start();
  const dispatcher = createDispatcher({
    database,
    registry,
    tail,
    logger,
    metrics: createMetrics({ processMetrics: false }),
    handlers: [{ name: 'test.atRest', on: [counted], handle: async () => {} }],
  });
  await dispatcher.start();
  await dispatcher.drain();
  const enough = asked.tail + 100;
  while (asked.tail < enough) await new Promise((resolve) => setImmediate(resolve));
  await dispatcher.stop();
  await tail.stop();
  // One look for what is due, and one for when the next will be; a retry looks again after seconds, not at once.
  expect(asked.retries).toBeLessThanOrEqual(4);
});
