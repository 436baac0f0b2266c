import { describe, expect, test } from 'vitest';
import { DomainError, Overloaded } from '../errors.ts';
import type { Tx } from './database.ts';
import { createGroupCommit, type GroupCommitOptions } from './group-commit.ts';

/** A database whose transactions end when the test says so. */
function heldDatabase() {
  const held: (() => void)[] = [];
  const database = {
    async transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T> {
      const result = await run({} as Tx);
      await new Promise<void>((resolve) => {
        held.push(resolve);
      });
      return result;
    },
  };
  const release = () => {
    for (const end of held.splice(0)) end();
  };
  return { database, release, open: () => held.length };
}

const free = { transaction: <T>(run: (tx: Tx) => Promise<T>) => run({} as Tx) };

function grouping(more: Partial<GroupCommitOptions<string, string>>) {
  const batches: string[][] = [];
  const commit = createGroupCommit<string, string>({
    database: free,
    what: 'The test',
    maxBatch: 100,
    maxQueued: 1_000,
    run: async (_tx, inputs) => {
      batches.push([...inputs]);
      return inputs.map((input) => input.toUpperCase());
    },
    ...more,
  });
  return { commit, batches };
}

const names = (count: number, prefix = 'n') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('calls of one turn share batches, and each gets its own answer', async () => {
  const { commit, batches } = grouping({});
  expect(await Promise.all(names(40).map(commit))).toEqual(names(40, 'N'));
  expect(batches.map((batch) => batch.length)).toEqual([20, 20]);
});

test('a few calls are not divided', async () => {
  const { commit, batches } = grouping({});
  await Promise.all(names(8).map(commit));
  expect(batches).toEqual([names(8)]);
});

test('no batch is larger than its bound', async () => {
  const { commit, batches } = grouping({ maxBatch: 10 });
  await Promise.all(names(35).map(commit));
  expect(batches.map((batch) => batch.length)).toEqual([10, 10, 8, 7]);
});

test('inputs that would wait for a lock in flight stay behind, in order, and others go ahead', async () => {
  const { database, release, open } = heldDatabase();
  const { commit, batches } = grouping({ database, keyOf: (input) => input[0] });
  const first = ['a1', 'a2'].map(commit);
  await turn();
  const second = ['a3', 'b1', 'a4', 'b2'].map(commit);
  await turn();
  expect(batches).toEqual([
    ['a1', 'a2'],
    ['b1', 'b2'],
  ]);
  while (batches.length < 3 || open() > 0) {
    release();
    await turn();
  }
  expect(batches[2]).toEqual(['a3', 'a4']);
  expect(await Promise.all([...first, ...second])).toEqual(['A1', 'A2', 'A3', 'B1', 'A4', 'B2']);
});

test('inputs of one lock go into one batch', async () => {
  const { commit, batches } = grouping({ keyOf: () => 'the same' });
  await Promise.all(names(40).map(commit));
  expect(batches).toEqual([names(40)]);
});

test('attempts on one lock overlap; what has to go behind the lock keeps others away until it is done', async () => {
  const { database, release, open } = heldDatabase();
  const attempted: string[][] = [];
  const answers: ((refused: boolean) => void)[] = [];
  const { commit, batches } = grouping({
    database,
    keyOf: () => 'the same',
    attempt: (inputs) => {
      attempted.push([...inputs]);
      return new Promise((resolve) => {
        answers.push((refused) => resolve(refused ? undefined : inputs.map((input) => input.toUpperCase())));
      });
    },
  });
  const first = names(20, 'a').map(commit);
  await turn();
  expect(attempted.map((inputs) => inputs.length)).toEqual([10, 10]);

  const later = names(2, 'b').map(commit);
  answers[0]?.(true);
  answers[1]?.(false);
  await turn();
  await turn();
  // One place is free, and yet nobody is sent to wait behind the lock of the first batch.
  expect({ attempted: attempted.length, batches: batches.length, open: open() }).toEqual({
    attempted: 2,
    batches: 1,
    open: 1,
  });
  release();
  while (attempted.length < 3) await turn();
  answers[2]?.(false);
  expect(await Promise.all([...first, ...later])).toEqual([...names(20, 'A'), ...names(2, 'B')]);
});

test('a batch that throws is tried one by one: only who is at fault fails', async () => {
  class Wrong extends DomainError {
    constructor() {
      super('CORE_TEST_WRONG', 'wrong');
    }
  }
  const { commit } = grouping({
    run: async (_tx, inputs) => {
      if (inputs.includes('bad')) throw new Error('the batch is lost');
      return inputs.map((input) => (input === 'refused' ? new Wrong() : input));
    },
  });
  const outcomes = await Promise.allSettled(['good', 'bad', 'refused', 'fine'].map(commit));
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message))).toEqual([
    'good',
    'the batch is lost',
    'wrong',
    'fine',
  ]);
});

test('a full queue says so at once', async () => {
  const { database, release } = heldDatabase();
  const { commit } = grouping({ database, maxBatch: 1, maxInFlight: 1, maxQueued: 2 });
  const waiting = [commit('a'), commit('b')];
  await expect(commit('c')).rejects.toBeInstanceOf(Overloaded);
  let left = waiting.length;
  for (const one of waiting) one.then(() => (left -= 1));
  while (left > 0) {
    release();
    await turn();
  }
});

describe('an input that comes again', () => {
  const named = (more: Partial<GroupCommitOptions<string, string>>, waitMs = 60_000) =>
    grouping({
      repeats: { nameOf: (input) => input, waitMs, tooLong: () => new DomainError('TEST_IN_FLIGHT', 'not yet') },
      ...more,
    });

  test('is run once the first has come to its end', async () => {
    const { database, release, open } = heldDatabase();
    const { commit, batches } = named({ database });
    const answers = [commit('a'), commit('a'), commit('b')];
    await turn();
    expect(batches).toEqual([['a', 'b']]);
    release();
    await answers[0];
    while (open() === 0) await turn();
    expect(batches).toEqual([['a', 'b'], ['a']]);
    release();
    expect(await Promise.all(answers)).toEqual(['A', 'A', 'B']);
  });

  test('is refused when that takes too long, and may come again', async () => {
    const { database, release, open } = heldDatabase();
    const { commit } = named({ database }, 1);
    const first = commit('a');
    await expect(commit('a')).rejects.toMatchObject({ code: 'TEST_IN_FLIGHT' });
    while (open() === 0) await turn();
    release();
    expect(await first).toBe('A');
    const again = commit('a');
    while (open() === 0) await turn();
    release();
    expect(await again).toBe('A');
  });

  test('is run although the first failed', async () => {
    let calls = 0;
    const { commit } = named({
      run: async (_tx, inputs) => inputs.map((input) => (++calls === 1 ? new DomainError('TEST', 'no') : input)),
    });
    const [first, second] = await Promise.allSettled([commit('a'), commit('a')]);
    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled']);
  });
});
