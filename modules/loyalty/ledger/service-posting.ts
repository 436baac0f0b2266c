import { actorName, type Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type Tx, type Write, writeTogether } from '../../../src/core/database/index.ts';
import { DomainError, IdempotencyConflict } from '../../../src/core/errors.ts';
import { eventsWrite } from '../../../src/core/events/index.ts';
import { answersWrite, findKeys, type KeyClaim, keepingAnswers } from '../../../src/core/idempotency.ts';
import type { TierChange, TierKey } from '../domain/tiers.ts';
import { EntryNotFound } from '../errors.ts';
import type { CustomerTraits } from '../programme/domain/campaigns.ts';
import type { Programme } from '../programme/programme.ts';
import { historyWrites } from '../programme/service-trail.ts';
import { type LedgerCommand, type LedgerRequest, namesEntry, type Posted } from './commands.ts';
import type { Sums } from './domain/ledger.ts';
import { type AccountRow, accountsWrite, entriesByIds, entriesWrite, type RuleUse, ruleUsesWrite } from './queries.ts';
import { type PendingRow, pendingWrite, settledWrite } from './queries-lots.ts';
import { decide } from './service-decide.ts';
import { eventsOf } from './service-facts.ts';
import { openDesk } from './service-open-desk.ts';
import type { Decision } from './service-sheet.ts';

/** The first answer as it is kept: what the ledger itself does not say. */
interface KeptAnswer {
  readonly entryId: string;
  readonly earned: number;
  readonly tier: TierKey;
  readonly tierSince: string;
  readonly tierChange: TierChange | null;
  /** Of the account, where the entry does not say it all. */
  readonly sums?: Sums;
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
  /** What campaigns look at in customers. */
  traitsOf(tx: Tx, customerIds: readonly string[]): Promise<ReadonlyMap<string, CustomerTraits>>;
}

/** All requests that move points share their keys, so that one key never means two things. */
const SCOPE = 'loyalty.ledger';

/**
 * The one place that moves points: a batch of requests in the caller's transaction, in order. Whatever the number of
 * requests it locks the accounts in one order, looks the keys up behind the locks, decides in memory, and writes
 * entries, accounts, events and answers with one statement. Safe across processes: who changes an account holds it.
 * @param onPosted is told what the accounts come to, and how often their capped rules were used as far as that was
 *   looked at, should the transaction commit
 */
export async function postBatch(
  tx: Tx,
  ports: PostingPorts,
  requests: readonly LedgerRequest[],
  onPosted: (accounts: readonly AccountRow[], uses: readonly RuleUse[]) => void = () => {},
): Promise<(Posted | DomainError)[]> {
  const [first] = requests;
  if (first === undefined) return [];
  const programme = await ports.programme();
  const now = ports.clock.now();
  const named = requests.flatMap(({ command }) => (namesEntry(command) ? [command.entryId] : []));
  const ownerOf = new Map((await entriesByIds(tx, named)).map((entry) => [entry.id, entry.customerId]));
  const customerOf = ({ command }: LedgerRequest) =>
    namesEntry(command) ? ownerOf.get(command.entryId) : command.customerId;
  const customerIds = new Set(requests.map(customerOf).filter((id) => id !== undefined));
  const keyed = requests.filter((request): request is KeyedRequest => request.key !== null);
  // Sent together: the keys are looked up behind the locks without another round trip.
  const [found, claims] = await Promise.all([
    ports.accountsOf(tx, first.call, [...customerIds], programme),
    keyed.length === 0 ? [] : findKeys<KeptAnswer>(tx, SCOPE, keyed),
  ]);
  const claimOf = new Map(keyed.map((request, index) => [request as LedgerRequest, claims[index]]));
  const replayOf = await loadReplays(tx, claims);
  const accountOf = (request: LedgerRequest) => {
    const account = found.get(customerOf(request) ?? '');
    return account instanceof DomainError ? undefined : account;
  };
  const desk = await openDesk(tx, ports, { programme, now }, requests, accountOf);

  const accounts = new Map<string, AccountRow>();
  for (const account of found.values()) if (!(account instanceof DomainError)) accounts.set(account.id, account);
  const made: Made[] = [];
  const madeBy = new Map<string, Made>();

  const answer = (request: LedgerRequest): Posted | DomainError => {
    const { key } = request;
    const claim = claimOf.get(request);
    if (claim?.kind === 'conflict') return new IdempotencyConflict(key ?? '');
    if (claim?.kind === 'replay') return replayOf(claim.answer);
    const before = key === null ? undefined : madeBy.get(key);
    if (before !== undefined) {
      const same = before.request.hash.equals(request.hash);
      return same ? { ...before.posted, replayed: true } : new IdempotencyConflict(before.request.key ?? '');
    }
    const customerId = customerOf(request);
    if (customerId === undefined) return new EntryNotFound(entryIdOf(request.command));
    const holder = found.get(customerId);
    if (holder === undefined) throw new Error('an account asked for was not answered');
    if (holder instanceof DomainError) return holder;
    const decision = decide(desk, accounts.get(holder.id) ?? holder, request.command);
    if (decision instanceof DomainError) return decision;
    accounts.set(holder.id, decision.account);
    const posted = postedOf(decision, request.call);
    const one = { request, posted, earned: decision.earned };
    made.push(one);
    if (key !== null) madeBy.set(key, one);
    return posted;
  };

  const answers = requests.map(answer);
  if (made.length > 0) {
    const changed = new Set(made.map(({ posted }) => posted.account.id));
    const changedAccounts = [...accounts.values()].filter((account) => changed.has(account.id));
    const uses = desk.uses();
    const writes = [
      ...(uses.length === 0 ? [] : [ruleUsesWrite(uses)]),
      ...(desk.qualification?.writes() ?? []),
      ...waitingWrites(made),
      ...postingWrites(ports.clock, made, desk.lots.writes(), accountsWrite(changedAccounts)),
    ];
    // The transaction waits for it at its end.
    tx.atEnd(keepingAnswers(writeTogether(tx, writes)));
    onPosted(changedAccounts, desk.usesKnown());
  }
  return answers;
}

/** A request with what it led to. */
export interface Made {
  readonly request: LedgerRequest;
  readonly posted: Posted;
  readonly earned: Decision['earned'];
}

const entryIdOf = (command: LedgerCommand): string => (namesEntry(command) ? command.entryId : '');

interface KeyedRequest extends LedgerRequest {
  readonly key: string;
}

/** What a decision is answered with. */
export function postedOf(decision: Decision, call: Call): Posted {
  const { id, customerId, joinedAt, tier, tierSince, balance, pending, held, debt, earned } = decision.account;
  const actor = actorName(call.actor);
  return {
    entry: { ...decision.entry, actor },
    lapsed: decision.lapsed === null ? null : { ...decision.lapsed, actor },
    account: { id, customerId, joinedAt, tier, tierSince, balance, pending, held, debt, earned },
    tierChange: decision.tierChange,
    replayed: false,
  };
}

/** First answers, put together from what was kept and what the ledger says. */
async function loadReplays(tx: Tx, claims: readonly KeyClaim<KeptAnswer>[]): Promise<(kept: KeptAnswer) => Posted> {
  const ids = claims.flatMap((claim) => (claim.kind === 'replay' ? [claim.answer.entryId] : []));
  const entries = new Map((await entriesByIds(tx, ids)).map((entry) => [entry.id, entry]));
  return (kept) => {
    const found = entries.get(kept.entryId);
    if (found === undefined) throw new Error(`the ledger lost the entry ${kept.entryId}`);
    const { reversed: _r, waits: _w, customerId, joinedAt, ...entry } = found;
    const { earned, tier, tierChange } = kept;
    const sums = kept.sums ?? { balance: entry.balanceAfter, pending: 0, held: 0, debt: 0 };
    const account = { id: entry.accountId, customerId, joinedAt, tier, earned, ...sums };
    const tierSince = new Date(kept.tierSince);
    return { entry, lapsed: null, account: { ...account, tierSince }, tierChange, replayed: true };
  };
}

/** What begins to wait by a batch, and what no longer does. */
function waitingWrites(made: readonly Made[]): Write[] {
  const waiting: PendingRow[] = [];
  const settled: string[] = [];
  for (const { id, accountId, phase, expiresAt, settles } of made.map(({ posted }) => posted.entry)) {
    if (phase === 'PENDING' && expiresAt !== null) waiting.push({ entryId: id, accountId, expiresAt });
    if (settles !== null) settled.push(settles);
  }
  return [
    ...(waiting.length === 0 ? [] : [pendingWrite(waiting)]),
    ...(settled.length === 0 ? [] : [settledWrite(settled)]),
  ];
}

/** Everything a batch writes, to be sent as one statement. @param accounts the write of what they come to */
export function postingWrites(clock: Clock, made: readonly Made[], lots: readonly Write[], accounts: Write): Write[] {
  const [first] = made;
  if (first === undefined) return [];
  const events = made.flatMap(({ request, posted }) => eventsOf(request.call, posted));
  const answers = made.flatMap(keptOf);
  // PostgreSQL carries the last one out first: who has to wait for an account does so before anything else was done.
  return [
    ...historyWrites(made),
    ...(answers.length === 0 ? [] : [answersWrite(SCOPE, answers)]),
    eventsWrite(first.request.call, clock, events),
    ...lots,
    entriesWrite(
      made.flatMap(({ posted }) => (posted.lapsed === null ? [posted.entry] : [posted.entry, posted.lapsed])),
    ),
    accounts,
  ];
}

function keptOf({ request: { key, hash }, posted }: Made) {
  if (key === null) return [];
  const { earned, tier, tierSince, balance, pending, held, debt } = posted.account;
  const plain = pending === 0 && held === 0 && debt === 0 && balance === posted.entry.balanceAfter;
  const answer: KeptAnswer = {
    entryId: posted.entry.id,
    earned,
    tier,
    tierSince: tierSince.toISOString(),
    tierChange: posted.tierChange,
    ...(plain ? {} : { sums: { balance, pending, held, debt } }),
  };
  return [{ key, hash, answer }];
}
