import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type Database, plainArray, textArray } from '../../src/core/database/index.ts';
import { createLogger } from '../../src/core/logger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let created: TestDatabase;
let database: Database;

beforeAll(async () => {
  created = await createTestDatabase();
  database = createDatabase({ url: created.url, logger: createLogger('silent') });
  await database.query('create table note (id int primary key, words text)');
});
afterAll(async () => {
  await database.close();
  await created.drop();
});

const notes = () => database.query<{ id: number }>('select id from note order by id');

describe.each([
  ['an ordinary', false],
  ['a pipelined', true],
])('%s transaction', (_, pipelined) => {
  test('runs statements in the order they were sent, also when none is waited for', async () => {
    const seen = await database.transaction(
      async (tx) => {
        const sent = [
          tx.query('delete from note'),
          tx.query('insert into note select generate_series(1, 3)'),
          tx.query<{ count: number }>('select count(*)::int as count from note', [], { name: 'count_notes' }),
          tx.query('insert into note values (4)'),
          tx.query<{ count: number }>('select count(*)::int as count from note', [], { name: 'count_notes' }),
        ] as const;
        const [, , before, , after] = await Promise.all(sent);
        return [before[0]?.count, after[0]?.count];
      },
      { pipelined },
    );
    expect(seen).toEqual([3, 4]);
    expect(await notes()).toHaveLength(4);
  });

  test('commits nothing when a statement fails, waited for or not', async () => {
    await database.query('delete from note');
    await database.query('insert into note values (1)');
    const twice = (waited: boolean) =>
      database.transaction(
        async (tx) => {
          await tx.query('insert into note values (2)');
          const failing = tx.query('insert into note values (1)');
          if (waited) await failing;
          else failing.catch(() => {});
        },
        { pipelined },
      );
    await expect(twice(true)).rejects.toMatchObject({ code: '23505' });
    await expect(twice(false)).rejects.toThrow(/nothing was committed/);
    expect(await notes()).toEqual([{ id: 1 }]);
    // The connection is as good as new.
    await database.transaction((tx) => tx.query('insert into note values (2)'), { pipelined });
    expect(await notes()).toEqual([{ id: 1 }, { id: 2 }]);
  });

  test('is run again when it could not be serialized', async () => {
    let runs = 0;
    const serialize = Object.assign(new Error('try again'), { code: '40001' });
    await database.transaction(
      async () => {
        runs += 1;
        if (runs < 3) throw serialize;
      },
      { pipelined },
    );
    expect(runs).toBe(3);
  });
});

describe('statements in order', () => {
  test('are carried out as they were sent, and one that fails leaves the next alone', async () => {
    await database.query('delete from note');
    const sent = [
      database.inOrder.query('insert into note values (1)'),
      database.inOrder.query('insert into note values (1)'),
      database.inOrder.query("update note set words = 'seen' where id = 1 returning id", [], { name: 'see' }),
      database.inOrder.query('select id from note where words = $1', ['seen']),
      database.inOrder.query("update note set words = 'seen' where id = 1 returning id", [], { name: 'see' }),
    ];
    const outcomes = await Promise.allSettled(sent);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await sent[3]).toEqual([{ id: 1 }]);
    expect(await notes()).toEqual([{ id: 1 }]);
  });

  test('give a lock up soon, for those that wait behind', async () => {
    await database.query('delete from note');
    await database.query('insert into note values (1)');
    await database.transaction(async (tx) => {
      await tx.query('select * from note where id = 1 for update');
      const held = database.inOrder.query("update note set words = 'mine' where id = 1");
      const behind = database.inOrder.query('insert into note values (2)');
      await expect(held).rejects.toMatchObject({ code: '55P03' });
      await behind;
    });
    expect(await notes()).toEqual([{ id: 1 }, { id: 2 }]);
  });

  test('go on over a new connection when theirs was cut', async () => {
    const [connection] = await database.inOrder.query<{ pid: number }>('select pg_backend_pid() as pid');
    const asleep = database.inOrder.query('select pg_sleep(60)');
    const behind = database.inOrder.query('select 1');
    const cut = Promise.allSettled([asleep, behind]);
    await database.query('select pg_terminate_backend($1)', [connection?.pid]);
    expect((await cut).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await database.inOrder.query('select 1 as one')).toEqual([{ one: 1 }]);
  });
});

test('array literals say what the driver would', async () => {
  const texts = [
    'plain',
    '',
    'NULL',
    null,
    'a "quote"',
    'back\\slash',
    '{"json": ["x", "\\n"]}',
    'line\nbreak',
    'comma, {brace}',
  ];
  const [row] = await database.query<{ literal: unknown; driver: unknown; numbers: unknown }>(
    'select $1::text[] as literal, $2::text[] as driver, $3::int[] as numbers',
    [textArray(texts), texts, plainArray([1, null, -3])],
  );
  expect(row?.literal).toEqual(texts);
  expect(row?.literal).toEqual(row?.driver);
  expect(row?.numbers).toEqual([1, null, -3]);
});
