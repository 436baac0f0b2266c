import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { type Account, accountsOf, type SaasOptions } from '../../src/app/demo/saas/accounts.ts';
import { DAY_MS, DEMO_STARTS_AT_MS, monthsLater, stretchOf } from '../../src/app/demo/saas/calendar.ts';
import { writeFiles } from '../../src/app/demo/saas/files.ts';
import { mrrAt } from '../../src/app/demo/saas/money.ts';
import { parseMoney } from '../../src/core/money.ts';

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-saas-'));
  folders.push(folder);
  return folder;
};

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const hashes = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex'),
      ]),
  );

async function filesOf(options: SaasOptions): Promise<string> {
  const folder = newFolder();
  await writeFiles(folder, options);
  return folder;
}

describe('the same options give the same files', () => {
  const options = { customers: 40, months: 9, seed: 5 };

  test('in one process and in another, byte for byte', async () => {
    const first = hashes(await filesOf(options));
    expect(Object.keys(first)).toHaveLength(6);
    expect(hashes(await filesOf(options))).toEqual(first);
    const folder = newFolder();
    const script = fileURLToPath(new URL('write-files.ts', import.meta.url));
    await promisify(execFile)(process.execPath, [script, folder, JSON.stringify(options)]);
    expect(hashes(folder)).toEqual(first);
  });

  test('and another seed gives others', async () => {
    const first = hashes(await filesOf(options));
    const other = hashes(await filesOf({ ...options, seed: 6 }));
    expect(Object.keys(first).filter((name) => first[name] === other[name])).toEqual([]);
  });
});

/** All times of an account at which something happened. */
const happenings = ({ life, invoices, tickets, events }: Account): number[] =>
  [
    ...life.subscriptions.flatMap(({ states, cancelledAtMs }) => [...states.map(({ atMs }) => atMs), cancelledAtMs]),
    ...invoices.flatMap(({ issuedAtMs, paidAtMs }) => [issuedAtMs, paidAtMs]),
    ...tickets.flatMap(({ openedAtMs, firstResponseAtMs, solvedAtMs }) => [openedAtMs, firstResponseAtMs, solvedAtMs]),
    ...events.map(({ atMs }) => atMs),
  ].filter((at) => at !== null);

describe('whatever the seed', () => {
  const options = fc.record({
    customers: fc.integer({ min: 1, max: 12 }),
    months: fc.integer({ min: 1, max: 30 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  });
  const holds = (check: (account: Account, options: SaasOptions) => void): void =>
    fc.assert(
      fc.property(options, (given) => {
        for (const account of accountsOf(given)) check(account, given);
      }),
      { numRuns: 25 },
    );

  test('nothing happens before the signup or after the end', () => {
    holds((account, { months }) => {
      const { signupAtMs } = account.life;
      expect(signupAtMs).toBeGreaterThanOrEqual(stretchOf(months).fromMs);
      const all = happenings(account);
      expect(Math.min(signupAtMs, ...all)).toBe(signupAtMs);
      expect(Math.max(signupAtMs, ...all)).toBeLessThan(DEMO_STARTS_AT_MS);
    });
  });

  test('a subscription has a history in order, and its end comes last', () => {
    holds(({ life }) => {
      for (const { states, cancelledAtMs } of life.subscriptions) {
        const times = [...states.map(({ atMs }) => atMs), cancelledAtMs ?? Number.POSITIVE_INFINITY];
        expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
        for (const { mrrMinor } of states) expect(Number.isSafeInteger(mrrMinor) && mrrMinor >= 0).toBe(true);
      }
      const runs = life.subscriptions.some(({ cancelledAtMs }) => cancelledAtMs === null);
      expect(life.status === 'ACTIVE' || life.status === 'PAUSED').toBe(runs);
      expect(life.churnedAtMs !== null).toBe(life.status === 'CHURNED');
    });
  });

  test('who has left uses nothing, until it comes back', () => {
    holds(({ life, events }) => {
      if (life.churnedAtMs === null) return;
      const since = life.churnedAtMs;
      expect(events.filter(({ atMs }) => atMs >= since + DAY_MS)).toEqual([]);
    });
  });

  test('each invoice is for what the subscription was worth that day, and there is one for every paid month', () => {
    holds(({ life, invoices }) => {
      for (const [at, one] of life.subscriptions.entries()) {
        const start = one.states[0]?.atMs ?? 0;
        const expected: [number, number][] = [];
        for (let month = 0; monthsLater(start, month) < DEMO_STARTS_AT_MS; month += 1) {
          const due = mrrAt(one, monthsLater(start, month));
          if (due > 0) expected.push([monthsLater(start, month), due]);
        }
        const issued = invoices.filter(({ subscription }) => subscription === at);
        expect(issued.map(({ issuedAtMs, amountMinor }) => [issuedAtMs, amountMinor])).toEqual(expected);
      }
    });
  });
});

describe('a business of 1,000', () => {
  const OPTIONS = { customers: 1_000, months: 24, seed: 11 };
  const accounts = [...accountsOf(OPTIONS)];
  const endMs = DEMO_STARTS_AT_MS;

  test('has the same monthly revenue in its files as in its lives', async () => {
    const small = { ...OPTIONS, customers: 150 };
    const text = readFileSync(path.join(await filesOf(small), 'subscriptions.csv'), 'utf8');
    const running = new Map<string, number>();
    for (const line of text.trimEnd().split('\n').slice(1)) {
      const [id = '', , , mrr = '', currency = '', , , cancelledAt] = line.split(',');
      running.set(id, cancelledAt === '' ? parseMoney(mrr, currency).amountMinor : 0);
    }
    const inFiles = [...running.values()].reduce((sum, mrr) => sum + mrr, 0);
    const lived = [...accountsOf(small)].flatMap(({ life }) => life.subscriptions.map((one) => mrrAt(one, endMs - 1)));
    expect(inFiles).toBe(lived.reduce((sum, mrr) => sum + mrr, 0));
    expect(inFiles).toBeGreaterThan(0);
  });

  const share = (part: readonly unknown[], whole: readonly unknown[]): number => part.length / whole.length;
  const cancelled = accounts.filter(({ life }) => life.churnedAtMs !== null && life.days.length > 150);

  /** Sessions of the 30 days before a time, against the mean of the 90 before them; null without any to compare with. */
  function trend({ events }: Account, atMs: number): number | null {
    const sessions = events.filter(({ name }) => name === 'session.started');
    const between = (from: number, to: number): number =>
      sessions.filter((event) => event.atMs >= atMs - from * DAY_MS && event.atMs < atMs - to * DAY_MS).length;
    const before = between(120, 30) / 3;
    return before < 3 ? null : between(30, 0) / before;
  }

  test('has plausible shares', () => {
    const of = (name: string) =>
      share(
        accounts.filter((account) => account.segment.name === name),
        accounts,
      );
    expect(of('small')).toBeCloseTo(0.64, 1);
    expect(of('enterprise')).toBeCloseTo(0.08, 1);
    const gone = accounts.filter(({ life }) => life.status === 'CHURNED');
    // Two to three of a hundred a month, over ten months on average.
    expect(share(gone, accounts)).toBeGreaterThan(0.12);
    expect(share(gone, accounts)).toBeLessThan(0.32);
    const unknown = gone.filter(({ life }) => life.churnReason === null);
    expect(share(unknown, gone)).toBeGreaterThan(0.1);
    expect(share(unknown, gone)).toBeLessThan(0.35);
    const invoices = accounts.flatMap((account) => account.invoices).filter(({ dueAtMs }) => dueAtMs < endMs);
    const late = invoices.filter(({ dueAtMs, paidAtMs }) => (paidAtMs ?? endMs) > dueAtMs);
    expect(share(late, invoices)).toBeGreaterThan(0.05);
    expect(share(late, invoices)).toBeLessThan(0.25);
    const states = accounts.flatMap(({ life }) => life.subscriptions.map((one) => one.states));
    const rises = states.filter((all) =>
      all.some(({ mrrMinor }, at) => mrrMinor > (all[at - 1]?.mrrMinor ?? mrrMinor)),
    );
    const falls = states.filter((all) =>
      all.some(({ mrrMinor }, at) => mrrMinor < (all[at - 1]?.mrrMinor ?? mrrMinor)),
    );
    expect(share(rises, states)).toBeGreaterThan(share(falls, states));
    expect(falls.length).toBeGreaterThan(10);
    expect(
      accounts.filter(({ life }) => life.status === 'ACTIVE' && life.subscriptions.length > 1).length,
    ).toBeGreaterThan(20);
  });

  test('can be predicted, and not by one curve alone', () => {
    const leaving = cancelled.flatMap((account) => trend(account, account.life.churnedAtMs as number) ?? []);
    const staying = accounts
      .filter(({ life }) => life.status === 'ACTIVE' && life.days.length > 180)
      .flatMap((account) => trend(account, endMs - 60 * DAY_MS) ?? []);
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(leaving.length).toBeGreaterThan(50);
    expect(mean(leaving)).toBeLessThan(0.7);
    expect(mean(staying)).toBeGreaterThan(0.9);
    // Some leave without a sign, and some who look as if they left stay.
    expect(
      share(
        leaving.filter((value) => value > 0.8),
        leaving,
      ),
    ).toBeGreaterThan(0.1);
    expect(
      share(
        staying.filter((value) => value < 0.6),
        staying,
      ),
    ).toBeGreaterThan(0.01);
    expect(
      share(
        staying.filter((value) => value < 0.6),
        staying,
      ),
    ).toBeLessThan(0.2);
  });

  test('says in its surveys how content it is', () => {
    const answers = (account: Account) =>
      account.events.flatMap(({ name, value }) => (name === 'survey.answered' && value !== null ? [value] : []));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const here = accounts.filter(({ life }) => life.status === 'ACTIVE').flatMap(answers);
    const gone = cancelled.flatMap(answers);
    expect(here.every((score) => Number.isInteger(score) && score >= 0 && score <= 10)).toBe(true);
    expect(mean(here) - mean(gone)).toBeGreaterThan(0.7);
  });

  test('signs up ever more customers, with good and bad months', () => {
    const year = (from: number, to: number): number =>
      accounts.filter(({ life }) => life.signupAtMs >= from && life.signupAtMs < to).length;
    const first = year(Date.UTC(2024, 0, 1), Date.UTC(2025, 0, 1));
    expect(first).toBeGreaterThan(350);
    expect(1_000 - first).toBeGreaterThan(first * 1.25);
    expect(year(Date.UTC(2025, 8, 1), Date.UTC(2025, 10, 1))).toBeGreaterThan(
      year(Date.UTC(2025, 6, 1), Date.UTC(2025, 8, 1)) * 1.2,
    );
  });

  test('has nobody of the same name or address', () => {
    const contacts = accounts.flatMap((account) => account.contacts.map(({ email }) => email));
    expect(new Set(contacts).size).toBe(contacts.length);
    expect(new Set(accounts.map(({ name }) => name)).size).toBe(accounts.length);
  });
});
