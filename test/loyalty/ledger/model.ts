import fc from 'fast-check';
import { expect } from 'vitest';
import type { LedgerCommand } from '../../../modules/loyalty/ledger/commands.ts';
import { newId } from '../../../src/core/ids.ts';
import {
  come,
  comeBack,
  end,
  lapse,
  type Model,
  type NaiveAccount,
  type NaiveEntry,
  none,
  type Standing,
  spendable,
  standingOf,
  sum,
  takeFrom,
  tierOf,
} from './naive.ts';

/** What a ledger that is compared with the naive one has to do; all times are those of its own clock. */
export interface TestedLedger {
  readonly customers: readonly string[];
  now(): Date;
  advance(durationMs: number): void;
  /** `ok` with the entry, or the code of the refusal. */
  run(command: LedgerCommand, key: string): Promise<Outcome>;
  expire(): Promise<void>;
  voidTimedOut(): Promise<void>;
  standing(customerId: string): Promise<Standing>;
}

export interface Outcome {
  readonly code: string;
  readonly entryId?: string;
  readonly replayed?: boolean;
}

const DAY_MS = 86_400_000;
type Command = fc.AsyncCommand<Model, TestedLedger>;

const newKey = () => `model-${newId()}`;

/** A step: does both and compares everything behind it. */
function step(name: string, run: (model: Model, real: TestedLedger) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, real) {
      await run(model, real);
      const kind = name.slice(0, Math.max(name.indexOf('('), 0)) || name;
      model.taken.set(kind, (model.taken.get(kind) ?? 0) + 1);
      for (const [who, account] of model.accounts.entries()) {
        expect(await real.standing(real.customers[who] as string)).toEqual(standingOf(account));
      }
    },
    toString: () => name,
  };
}

/** Runs a command that must succeed, and notes the entry. */
async function post(
  model: Model,
  real: TestedLedger,
  command: LedgerCommand,
  entry: Omit<NaiveEntry, 'id'>,
  key = newKey(),
): Promise<string> {
  const outcome = await real.run(command, key);
  expect(outcome).toMatchObject({ code: 'ok', replayed: false });
  model.entries.push({ id: outcome.entryId as string, ...entry });
  return outcome.entryId as string;
}

const refused = async (real: TestedLedger, command: LedgerCommand, code: string) => {
  expect((await real.run(command, newKey())).code).toBe(code);
};

const award = (who: number, key: number, points: number, daysAgo: number) =>
  step(`award(${who}, key ${key}, ${points}, ${daysAgo} days ago)`, async (model, real) => {
    // The same key may come again at another time: the time it was earned at is a part of what is asked.
    const effectiveAt = new Date(Math.floor(model.nowMs / DAY_MS) * DAY_MS - daysAgo * DAY_MS);
    const asked = `${who} ${points} ${effectiveAt.getTime()}`;
    const customerId = real.customers[who] as string;
    const command = { kind: 'award', customerId, rule: null, points, count: 1, reason: null, effectiveAt } as const;
    const before = model.keys.get(`${key}`);
    if (before !== undefined) {
      const outcome = await real.run(command, `award-${key}`);
      if (before.asked === asked) expect(outcome).toEqual({ code: 'ok', entryId: before.entryId, replayed: true });
      else expect(outcome.code).toBe('CORE_IDEMPOTENCY_CONFLICT');
      return;
    }
    const account = model.accounts[who] as NaiveAccount;
    const lot = come(account, points, effectiveAt.getTime());
    account.earned += points;
    const entry = { ...none, who, state: 'came', points, qualifying: points, lot } as const;
    model.keys.set(`${key}`, { asked, entryId: await post(model, real, command, entry, `award-${key}`) });
  });

const login = (who: number) =>
  step(`login(${who})`, async (model, real) => {
    const account = model.accounts[who] as NaiveAccount;
    const customerId = real.customers[who] as string;
    const command = {
      kind: 'award',
      customerId,
      rule: 'monthly_login',
      points: null,
      count: 1,
      reason: null,
      effectiveAt: null,
    } as const;
    const used = `${who} ${new Date(model.nowMs).toISOString().slice(0, 7)}`;
    if (model.logins.has(used)) return refused(real, command, 'LOYALTY_EARNING_CAP_REACHED');
    model.logins.add(used);
    const points = { BRONZE: 10, SILVER: 15, GOLD: 20, PLATINUM: 25 }[tierOf(account.earned)] as number;
    const lot = come(account, points, model.nowMs);
    account.earned += points;
    await post(model, real, command, { ...none, who, state: 'came', points, qualifying: points, lot });
  });

const promise = (who: number, points: number, days: number) =>
  step(`promise(${who}, ${points}, ${days} days)`, async (model, real) => {
    const until = model.nowMs + days * DAY_MS;
    const customerId = real.customers[who] as string;
    const words = { rule: null, points, count: 1, reason: null, effectiveAt: null };
    (model.accounts[who] as NaiveAccount).pending += points;
    const command = { kind: 'award', customerId, ...words, pendingUntil: new Date(until) } as const;
    await post(model, real, command, { ...none, who, state: 'promised', points, until });
  });

const spend = (who: number, points: number, days: number | null) =>
  step(`${days === null ? 'redeem' : 'hold'}(${who}, ${points})`, async (model, real) => {
    const account = model.accounts[who] as NaiveAccount;
    const customerId = real.customers[who] as string;
    const spending = { customerId, points, source: 'REDEMPTION', sourceId: null, reason: null } as const;
    const until = model.nowMs + (days ?? 0) * DAY_MS;
    const command: LedgerCommand =
      days === null ? { kind: 'redeem', ...spending } : { kind: 'hold', ...spending, expiresAt: new Date(until) };
    const due = sum(account.lots.filter((lot) => lot.gone <= model.nowMs).map((lot) => lot.left));
    if (spendable(account) - due < points) return refused(real, command, 'LOYALTY_INSUFFICIENT_POINTS');
    lapse(model, account.lots);
    const took = takeFrom(account, points);
    if (days !== null) account.held += points;
    await post(model, real, command, { ...none, who, state: days === null ? 'went' : 'held', points, took, until });
  });

const adjust = (who: number, points: number) =>
  step(`adjust(${who}, ${points})`, async (model, real) => {
    const account = model.accounts[who] as NaiveAccount;
    const command = { kind: 'adjust', customerId: real.customers[who] as string, points, reason: 'model' } as const;
    if (points > 0) {
      const lot = come(account, points, model.nowMs);
      await post(model, real, command, { ...none, who, state: 'came', points, lot });
      return;
    }
    const due = sum(account.lots.filter((lot) => lot.gone <= model.nowMs).map((lot) => lot.left));
    if (spendable(account) - due < -points) return refused(real, command, 'LOYALTY_INSUFFICIENT_POINTS');
    lapse(model, account.lots);
    const took = takeFrom(account, -points);
    await post(model, real, command, { ...none, who, state: 'went', points: -points, took });
  });

/** The entries that a number may mean, newest first, so that histories settle what they began. */
const chosen = (model: Model, which: number, states: readonly NaiveEntry['state'][]): NaiveEntry | undefined => {
  const fitting = model.entries.filter(({ state }) => states.includes(state)).reverse();
  return fitting[which % Math.max(fitting.length, 1)];
};

const reverse = (which: number) =>
  step(`reverse(${which})`, async (model, real) => {
    const entry = chosen(model, which, ['came', 'went', 'none', 'promised', 'held', 'done']);
    if (entry === undefined) return;
    const account = model.accounts[entry.who] as NaiveAccount;
    const command = { kind: 'reverse', entryId: entry.id, reason: null } as const;
    if (entry.state !== 'came' && entry.state !== 'went') return refused(real, command, 'LOYALTY_ENTRY_NOT_REVERSIBLE');
    const back = { ...none, who: entry.who, state: 'none', points: 0 } as const;
    if (entry.state === 'went') comeBack(model, account, entry.took);
    else {
      lapse(model, account.lots);
      const points = entry.points - (entry.lot?.lapsed ?? 0);
      const taken = Math.min(points, spendable(account));
      takeFrom(account, taken, entry.lot);
      account.debt += points - taken;
      account.earned -= entry.qualifying;
    }
    entry.state = 'none';
    await post(model, real, command, back);
  });

const settle = (kind: 'confirm' | 'void', which: number) =>
  step(`${kind}(${which})`, async (model, real) => {
    const entry = chosen(model, which, which % 5 === 0 ? ['done', 'came'] : ['promised', 'held']);
    if (entry === undefined) return;
    const account = model.accounts[entry.who] as NaiveAccount;
    const command = { kind, entryId: entry.id } as const;
    const waits = entry.state === 'promised' || entry.state === 'held';
    if (!waits || (kind === 'confirm' && entry.until <= model.nowMs)) {
      return refused(real, command, 'LOYALTY_ENTRY_NOT_PENDING');
    }
    await post(model, real, command, end(model, account, entry, kind));
  });

const pass = (hours: number) =>
  step(`pass(${hours} h)`, async (model, real) => {
    model.nowMs += hours * 3_600_000;
    real.advance(hours * 3_600_000);
  });

const expire = step('expire', async (model, real) => {
  for (const account of model.accounts) lapse(model, account.lots);
  await real.expire();
});

const timeOut = step('timeOut', async (model, real) => {
  const late = model.entries.filter(
    ({ state, until }) => (state === 'promised' || state === 'held') && until <= model.nowMs,
  );
  for (const entry of late) end(model, model.accounts[entry.who] as NaiveAccount, entry, 'void');
  await real.voidTimedOut();
});

export const CUSTOMERS = 3;
const who = fc.nat(CUSTOMERS - 1);
const amount = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(499, 999, 1_000, 2_500));
const days = fc.integer({ min: 1, max: 20 });

/** Histories of everything a ledger can be asked. */
export const histories = (maxCommands: number) =>
  fc.commands(
    [
      fc.tuple(who, fc.nat(60), amount, fc.nat(40)).map((args) => award(...args)),
      fc.tuple(who, fc.nat(60), amount, fc.constant(0)).map((args) => award(...args)),
      who.map(login),
      fc.tuple(who, amount, days).map((args) => promise(...args)),
      fc.tuple(who, amount, fc.constant(null)).map((args) => spend(...args)),
      fc.tuple(who, amount, days).map((args) => spend(...args)),
      fc
        .tuple(
          who,
          fc.integer({ min: -300, max: 300 }).filter((points) => points !== 0),
        )
        .map((args) => adjust(...args)),
      fc.nat(20).map(reverse),
      fc.nat(20).map((which) => settle('confirm', which)),
      fc.nat(20).map((which) => settle('void', which)),
      fc.integer({ min: 1, max: 400 }).map(pass),
      fc.constant(expire),
      fc.constant(timeOut),
    ],
    { maxCommands, size: 'max' },
  );

/** Compares so many histories; each begins with a ledger of its own. @returns how many steps of each kind were taken */
export async function compare(
  open: () => Promise<TestedLedger>,
  options: { readonly runs: number; readonly maxCommands: number },
): Promise<Map<string, number>> {
  const taken = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(histories(options.maxCommands), async (history) => {
      const real = await open();
      const blank = () => ({ lots: [], held: 0, pending: 0, debt: 0, earned: 0 });
      const model: Model = {
        nowMs: real.now().getTime(),
        accounts: Array.from({ length: CUSTOMERS }, blank),
        entries: [],
        keys: new Map(),
        logins: new Set(),
        taken,
      };
      await fc.asyncModelRun(() => ({ model, real }), history);
    }),
    { numRuns: options.runs },
  );
  return taken;
}

export const total = (taken: ReadonlyMap<string, number>): number => sum([...taken.values()]);
