import { type Queryable, type Write, writeTogether } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import type { Programme } from '../programme/programme.ts';
import { asksForTraits } from '../programme/service-earn.ts';
import type { LedgerCommand, LedgerRequest, Posted } from './commands.ts';
import {
  type AccountChange,
  type AccountRow,
  expectedAccountsWrite,
  firstUsesWrite,
  type RuleUse,
  ruleUsesWrite,
} from './queries.ts';
import { decide } from './service-decide.ts';
import type { Desk } from './service-desk.ts';
import { createLotBook } from './service-lots.ts';
import { type Made, type PostingPorts, postedOf, postingWrites } from './service-posting.ts';

/** Accounts as this process last knew them, by customer. */
export interface KnownAccounts {
  get(customerId: string): KnownAccount | undefined;
  keep(accounts: Iterable<AccountRow>, uses: readonly RuleUse[]): void;
  forget(customerIds: Iterable<string>): void;
}

/**
 * An account with how often capped rules were used, as far as that was looked at. Whoever uses a rule writes an entry:
 * while the account is as it was known, so are these.
 */
export interface KnownAccount {
  readonly account: AccountRow;
  readonly uses: readonly RuleUse[];
}

const KNOWN_MAX = 50_000;

/** Keeps so many that what was written longest ago goes first. */
export function createKnownAccounts(): KnownAccounts {
  const known = new Map<string, KnownAccount>();
  return {
    get: (customerId) => known.get(customerId),
    keep(accounts, uses) {
      const usesOf = uses.length === 0 ? undefined : Map.groupBy(uses, (use) => use.accountId);
      for (const account of accounts) {
        known.delete(account.customerId);
        known.set(account.customerId, { account, uses: usesOf?.get(account.id) ?? [] });
      }
      for (const customerId of known.keys()) {
        if (known.size <= KNOWN_MAX) break;
        known.delete(customerId);
      }
    },
    forget(customerIds) {
      for (const customerId of customerIds) known.delete(customerId);
    },
  };
}

/** A key was used before, an account is not as it was known, or another writer was in the way. */
const MEANWHILE = new Set(['23505', '22012', '40001', '40P01', '55P03']);

/** The most batches in a row that go behind locks because attempts failed. */
const SIT_OUT_MAX = 64;

/**
 * Attempts without locks, the more seldom the more of them failed: then other processes write the same accounts.
 * @param database carries statements out in the order they were sent
 */
export function createOptimisticPosting(database: Queryable, ports: PostingPorts, known: KnownAccounts) {
  const keysUnderWay = new Set<string | null>();
  let sitOut = 0;
  let failures = 0;
  return async (requests: readonly LedgerRequest[]): Promise<readonly Posted[] | undefined> => {
    if (sitOut > 0) {
      sitOut -= 1;
      return undefined;
    }
    const programme = await ports.programme();
    // Decided and sent in one turn: the next batch builds on what this one comes to, and is carried out behind it.
    const batch = decideAll(programme, ports.clock.now(), known, requests);
    if (batch === undefined || batch.made.some(({ request }) => keysUnderWay.has(request.key))) return undefined;
    for (const { request } of batch.made) keysUnderWay.add(request.key);
    const outcome = await send(database, ports, known, batch).finally(() => {
      for (const { request } of batch.made) keysUnderWay.delete(request.key);
    });
    // A rule used before that this process did not know of says nothing of other writers.
    if (outcome === 'misled') return undefined;
    if (outcome === 'meanwhile') {
      failures += 1;
      sitOut = Math.min(2 ** failures, SIT_OUT_MAX);
      return undefined;
    }
    if (outcome !== undefined) failures = Math.max(failures - 1, 0);
    return outcome;
  };
}

/** Commands that are decided without a look at anything but the account: they only bring points. */
type Bringing = Extract<LedgerCommand, { kind: 'award' | 'order' | 'adjust' }>;

const brings = (command: LedgerCommand): command is Bringing =>
  command.kind === 'award' || command.kind === 'order' || (command.kind === 'adjust' && command.points > 0);

/** What a batch comes to. */
interface Decided {
  readonly made: readonly Made[];
  readonly changes: readonly AccountChange[];
  /** Uses of capped rules by the accounts that change, as they become: all of them, and those known that change. */
  readonly uses: readonly RuleUse[];
  readonly laterUses: readonly RuleUse[];
  /** Uses that nothing is known of here: taken for the first of their periods, which the database confirms or refuses. */
  readonly firstUses: readonly RuleUse[];
  readonly lots: readonly Write[];
}

/**
 * Decides a batch without a lock or a look at anything, on accounts as this process left them or is about to.
 * @returns undefined when it has to be decided behind locks: a customer not known here, a refusal (which must not rest on
 *   what may be stale), a repeated key, or a command that needs to read
 */
function decideAll(
  programme: Programme,
  now: Date,
  known: KnownAccounts,
  requests: readonly LedgerRequest[],
): Decided | undefined {
  // What counts in a window is read behind the locks.
  if (programme.qualification.window.kind !== 'LIFETIME') return undefined;
  const before = new Map<string, AccountRow>();
  const after = new Map<string, AccountRow>();
  const uses = new Map<string, RuleUse>();
  const changedUses = new Map<string, RuleUse>();
  const guessed = new Set<string>();
  const useKey = (accountId: string, rule: string, start: Date) => `${accountId} ${rule} ${start.getTime()}`;
  const desk: Desk = {
    programme,
    now,
    used: (accountId, rule, start) => uses.get(useKey(accountId, rule, start))?.times ?? 0,
    noteUse(accountId, { rule, period: { start: periodStart }, after: times }) {
      const key = useKey(accountId, rule, periodStart);
      const use = { accountId, rule, periodStart, times };
      if (!uses.has(key)) guessed.add(key);
      uses.set(key, use);
      changedUses.set(key, use);
    },
    traits: () => undefined,
    qualification: null,
    lots: createLotBook(),
    entry: () => undefined,
    takenBy: () => [],
    lapsedOf: () => 0,
    noteLapsed: () => {},
    noteReversed: () => {},
    noteSettled: () => {},
  };
  const made: Made[] = [];
  const keys = new Set<string>();
  for (const request of requests) {
    const { command, key } = request;
    if (!brings(command) || key === null || keys.has(key) || asksForTraits(programme, command, now)) return undefined;
    // What begins to wait is written behind locks.
    if (command.kind === 'award' && (command.pendingUntil ?? null) !== null) return undefined;
    const { customerId } = command;
    if (!before.has(customerId)) {
      const found = known.get(customerId);
      if (found === undefined) return undefined;
      before.set(customerId, found.account);
      after.set(customerId, found.account);
      for (const use of found.uses) uses.set(useKey(use.accountId, use.rule, use.periodStart), use);
    }
    const account = after.get(customerId) as AccountRow;
    const decision = decide(desk, account, command);
    if (decision instanceof DomainError) return undefined;
    after.set(customerId, decision.account);
    keys.add(key);
    made.push({ request, posted: postedOf(decision, request.call), earned: decision.earned });
  }
  const changes = [...after].map(([customerId, account]) => ({
    before: before.get(customerId) as AccountRow,
    after: account,
  }));
  const [firstUses, laterUses] = [true, false].map((first) =>
    [...changedUses].flatMap(([key, use]) => (guessed.has(key) === first ? [use] : [])),
  ) as [RuleUse[], RuleUse[]];
  return { made, changes, uses: [...uses.values()], firstUses, laterUses, lots: desk.lots.writes() };
}

/**
 * Posts a batch by one statement, which the database refuses as a whole when one of the accounts is not as it was taken
 * to be or a key is not new. Whatever was built on a batch that is refused is refused as well.
 * @returns `meanwhile` when it was refused, `misled` when it was because a rule was used before: nothing was done, and the
 *   batch has to be posted behind locks (`postBatch`)
 */
async function send(
  database: Queryable,
  ports: PostingPorts,
  known: KnownAccounts,
  { made, changes, uses, firstUses, laterUses, lots }: Decided,
): Promise<readonly Posted[] | 'meanwhile' | 'misled'> {
  known.keep(
    changes.map(({ after }) => after),
    uses,
  );
  const counted = [
    ...(firstUses.length === 0 ? [] : [firstUsesWrite(firstUses)]),
    ...(laterUses.length === 0 ? [] : [ruleUsesWrite(laterUses)]),
  ];
  const writes = postingWrites(ports.clock, made, lots, expectedAccountsWrite(changes));
  try {
    await writeTogether(database, [...counted, ...writes]);
  } catch (error) {
    known.forget(changes.map(({ after }) => after.customerId));
    const { code, constraint } = error as { code?: unknown; constraint?: unknown };
    if (constraint === 'loyalty_rule_use_pkey') return 'misled';
    if (typeof code === 'string' && MEANWHILE.has(code)) return 'meanwhile';
    throw error;
  }
  return made.map(({ posted }) => posted);
}
