import { actorName, type Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type Tx, type Write, writeTogether } from '../../../src/core/database/index.ts';
import { DomainError, IdempotencyConflict } from '../../../src/core/errors.ts';
import { eventsWrite } from '../../../src/core/events/index.ts';
import { answersWrite, findKeys, type KeyClaim, keepingAnswers } from '../../../src/core/idempotency.ts';
import { newId } from '../../../src/core/ids.ts';
import type { TierChange, TierKey } from '../domain/tiers.ts';
import { EntryNotFound } from '../errors.ts';
import type { LedgerRequest, Posted } from './commands.ts';
import {
  type AccountRow,
  accountsWrite,
  entriesByIds,
  entriesWrite,
  type RuleUse,
  ruleUses,
  ruleUsesWrite,
} from './queries.ts';
import { capPeriod, type Decision, type Desk, decide, type Programme } from './service-decide.ts';
import { eventsOf } from './service-facts.ts';

/** The first answer as it is kept: what the ledger itself does not say. */
interface KeptAnswer {
  readonly entryId: string;
  readonly earned: number;
  readonly tier: TierKey;
  readonly tierSince: string;
  readonly tierChange: TierChange | null;
}

/** What posting stands on; the accounts come from the membership. */
export interface PostingPorts {
  readonly clock: Clock;
  programme(): Promise<Programme>;
  /** Locks the account of each customer, opening those that may be; an error for who cannot have points. */
  accountsOf(
    tx: Tx,
    call: Call,
    customerIds: readonly string[],
    programme: Programme,
  ): Promise<Map<string, AccountRow | DomainError>>;
}

/** All requests that move points share their keys, so that one key never means two things. */
const SCOPE = 'loyalty.ledger';

/**
 * The one place that moves points: a batch of requests in the caller's transaction, in order. Whatever the number of
 * requests it locks the accounts in one order, looks the keys up behind the locks, decides in memory, and writes
 * entries, accounts, events and answers with one statement. Safe across processes: who changes an account holds it.
 * @param onPosted is told what the accounts come to, should the transaction commit
 */
export async function postBatch(
  tx: Tx,
  ports: PostingPorts,
  requests: readonly LedgerRequest[],
  onPosted: (accounts: readonly AccountRow[]) => void = () => {},
): Promise<(Posted | DomainError)[]> {
  const [first] = requests;
  if (first === undefined) return [];
  const programme = await ports.programme();
  const now = ports.clock.now();
  const toReverse = requests.flatMap(({ command }) => (command.kind === 'reverse' ? [command.entryId] : []));
  const ownerOf = new Map((await entriesByIds(tx, toReverse)).map((entry) => [entry.id, entry.customerId]));
  const customerOf = ({ command }: LedgerRequest) =>
    command.kind === 'reverse' ? ownerOf.get(command.entryId) : command.customerId;
  const customerIds = new Set(requests.map(customerOf).filter((id) => id !== undefined));
  // Sent together: the keys are looked up behind the locks without another round trip.
  const [found, claims] = await Promise.all([
    ports.accountsOf(tx, first.call, [...customerIds], programme),
    findKeys<KeptAnswer>(tx, SCOPE, requests),
  ]);
  const replayOf = await loadReplays(tx, claims);
  const desk = await openDesk(tx, programme, now, { requests, found, toReverse });

  const accounts = new Map<string, AccountRow>();
  for (const account of found.values()) if (!(account instanceof DomainError)) accounts.set(account.id, account);
  const made = new Map<string, Made>();

  const answer = (request: LedgerRequest, claim: KeyClaim<KeptAnswer>): Posted | DomainError => {
    if (claim.kind === 'conflict') return new IdempotencyConflict(request.key);
    if (claim.kind === 'replay') return replayOf(claim.answer);
    const before = made.get(request.key);
    if (before !== undefined) {
      const same = before.request.hash.equals(request.hash);
      return same ? { ...before.posted, replayed: true } : new IdempotencyConflict(request.key);
    }
    const customerId = customerOf(request);
    if (customerId === undefined) return new EntryNotFound(toReverseBy(request));
    const holder = found.get(customerId);
    if (holder === undefined) throw new Error('an account asked for was not answered');
    if (holder instanceof DomainError) return holder;
    const decision = decide(desk, accounts.get(holder.id) ?? holder, request.command);
    if (decision instanceof DomainError) return decision;
    accounts.set(holder.id, decision.account);
    const posted = postedOf(decision, request.call);
    made.set(request.key, { request, posted });
    return posted;
  };

  const answers = requests.map((request, index) => answer(request, claims[index] as KeyClaim<KeptAnswer>));
  if (made.size > 0) {
    const changed = new Set([...made.values()].map(({ posted }) => posted.account.id));
    const changedAccounts = [...accounts.values()].filter((account) => changed.has(account.id));
    const writes = postingWrites(ports.clock, [...made.values()], accountsWrite(changedAccounts));
    const uses = desk.uses();
    // The transaction waits for it at its end.
    tx.atEnd(keepingAnswers(writeTogether(tx, uses.length === 0 ? writes : [ruleUsesWrite(uses), ...writes])));
    onPosted(changedAccounts);
  }
  return answers;
}

/** A request with what it led to. */
export interface Made {
  readonly request: LedgerRequest;
  readonly posted: Posted;
}

const toReverseBy = ({ command }: LedgerRequest): string => (command.kind === 'reverse' ? command.entryId : '');

/** What a decision is answered with. */
export function postedOf(decision: Decision, call: Call): Posted {
  const { id, customerId, joinedAt, tier, tierSince, balance, earned } = decision.account;
  return {
    entry: { ...decision.entry, id: newId(), actor: actorName(call.actor) },
    account: { id, customerId, joinedAt, tier, tierSince, balance, earned },
    tierChange: decision.tierChange,
    replayed: false,
  };
}

/** What must be known behind the locks before anything is decided. */
async function openDesk(
  tx: Tx,
  programme: Programme,
  now: Date,
  batch: {
    readonly requests: readonly LedgerRequest[];
    readonly found: ReadonlyMap<string, AccountRow | DomainError>;
    readonly toReverse: readonly string[];
  },
): Promise<Desk & { uses(): RuleUse[] }> {
  const entries = new Map((await entriesByIds(tx, batch.toReverse)).map((entry) => [entry.id, entry]));
  const useKey = (accountId: string, rule: string, start: Date) => `${accountId} ${rule} ${start.getTime()}`;
  const wanted = new Map<string, Omit<RuleUse, 'times'>>();
  for (const { command } of batch.requests) {
    const period = capPeriod(programme, command, now);
    if (period === null || command.kind !== 'award' || command.rule === null) continue;
    const account = batch.found.get(command.customerId);
    if (account === undefined || account instanceof DomainError) continue;
    const use = { accountId: account.id, rule: command.rule, periodStart: period.start };
    wanted.set(useKey(use.accountId, use.rule, use.periodStart), use);
  }
  const times = new Map<string, number>();
  for (const use of await ruleUses(tx, [...wanted.values()])) {
    times.set(useKey(use.accountId, use.rule, use.periodStart), use.times);
  }
  const changed = new Map<string, RuleUse>();
  return {
    programme,
    now,
    used: (accountId, rule, start) => times.get(useKey(accountId, rule, start)) ?? 0,
    noteUse(accountId, rule, periodStart, total) {
      const key = useKey(accountId, rule, periodStart);
      times.set(key, total);
      changed.set(key, { accountId, rule, periodStart, times: total });
    },
    entry: (id) => entries.get(id),
    noteReversed(id) {
      const entry = entries.get(id);
      if (entry !== undefined) entries.set(id, { ...entry, reversed: true });
    },
    uses: () => [...changed.values()],
  };
}

/** First answers, put together from what was kept and what the ledger says. */
async function loadReplays(tx: Tx, claims: readonly KeyClaim<KeptAnswer>[]): Promise<(kept: KeptAnswer) => Posted> {
  const ids = claims.flatMap((claim) => (claim.kind === 'replay' ? [claim.answer.entryId] : []));
  const entries = new Map((await entriesByIds(tx, ids)).map((entry) => [entry.id, entry]));
  return (kept) => {
    const found = entries.get(kept.entryId);
    if (found === undefined) throw new Error(`the ledger lost the entry ${kept.entryId}`);
    const { reversed: _, customerId, joinedAt, ...entry } = found;
    const { earned, tier, tierChange } = kept;
    const account = { id: entry.accountId, customerId, joinedAt, tier, earned, balance: entry.balanceAfter };
    return { entry, account: { ...account, tierSince: new Date(kept.tierSince) }, tierChange, replayed: true };
  };
}

/** Everything a batch writes, to be sent as one statement. @param accounts the write of what they come to */
export function postingWrites(clock: Clock, made: readonly Made[], accounts: Write): Write[] {
  const [first] = made;
  if (first === undefined) return [];
  const events = made.flatMap(({ request, posted }) => eventsOf(request.call, posted));
  // PostgreSQL carries the last one out first: who has to wait for an account does so before anything else was done.
  return [
    answersWrite(SCOPE, made.map(keptOf)),
    eventsWrite(first.request.call, clock, events),
    entriesWrite(made.map(({ posted }) => posted.entry)),
    accounts,
  ];
}

function keptOf({ request: { key, hash }, posted }: Made) {
  const { earned, tier, tierSince } = posted.account;
  const answer: KeptAnswer = {
    entryId: posted.entry.id,
    earned,
    tier,
    tierSince: tierSince.toISOString(),
    tierChange: posted.tierChange,
  };
  return { key, hash, answer };
}
