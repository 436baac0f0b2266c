import { actorName, type Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type Tx, writeTogether } from '../../../src/core/database/index.ts';
import { appendEvents } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import { higherTier, type Tier } from '../domain/tiers.ts';
import type { Programme } from '../programme/programme.ts';
import { historyWrites } from '../programme/service-trail.ts';
import type { Posted } from './commands.ts';
import { availableOf, type Movement, post } from './domain/ledger.ts';
import { take } from './domain/lots.ts';
import { type AccountRow, accountsWrite, type EntryRow, entriesWrite, lockAccounts } from './queries.ts';
import { closeAccounts, handOver, mergeRuleUses, moveLots, redactReasons } from './queries-lifecycle.ts';
import { eventsOf } from './service-facts.ts';
import { loadLots } from './service-lots.ts';

/** What merging stands on. */
export interface LifecyclePorts {
  readonly clock: Clock;
  readonly customers: Pick<CustomerPort, 'survivors'>;
  programme(): Promise<Pick<Programme, 'tiers' | 'qualification'>>;
}

/**
 * One customer became part of another. When only the former had an account it changes hands as it is; when both had,
 * everything the former held moves by two entries, so that the sums of both ledgers stay right, and the former closes.
 * Lots move with their age, and what waits goes on waiting; a debt of the one is paid with what the other can spend.
 */
export async function mergeAccounts(
  tx: Tx,
  ports: LifecyclePorts,
  call: Call,
  merge: { readonly fromId: string; readonly intoId: string },
): Promise<void> {
  const { fromId } = merge;
  // The customer who lives on may have been merged further meanwhile.
  const intoId = (await ports.customers.survivors([merge.intoId], tx)).get(merge.intoId) ?? merge.intoId;
  const accounts = await lockAccounts(tx, [fromId, intoId]);
  const from = accounts.find((account) => account.customerId === fromId);
  const into = accounts.find((account) => account.customerId === intoId);
  if (from === undefined || from.closedAt !== null || fromId === intoId) return;
  if (into === undefined) return handOver(tx, from.id, intoId);
  const now = ports.clock.now();
  // The other customer was erased: what was earned stays in the ledger, nobody can use it.
  if (into.closedAt !== null) return closeAccounts(tx, [from.id], now);

  const { tiers, qualification } = await ports.programme();
  // Under a window what moves does not count from today: the better of the two tiers is kept until the review has counted.
  const windowed = qualification.window.kind !== 'LIFETIME';
  const places = windowed ? { before: into.tier, after: higherTier(from.tier, into.tier) } : undefined;
  const moved: Movement = {
    points: from.balance,
    qualifying: from.earned,
    pending: from.pending,
    held: from.held,
    debt: from.debt,
  };
  // Who owes has nothing to spend, so at most one of the two pays the other's debt.
  const paid = Math.min(from.debt + into.debt, availableOf(from) + availableOf(into));
  const out = moveOf(call, from, opposite(moved), intoId, tiers, now);
  const arriving = { ...moved, points: moved.points - paid, debt: moved.debt - paid, places };
  const back = moveOf(call, into, arriving, fromId, tiers, now);
  await moveLots(tx, from.id, into.id);
  const lots = await loadLots(tx, { points: new Map([[into.id, paid]]), keys: [], expiring: [] }, now);
  if (paid > 0) {
    const { left, uses } = take(lots.of(into.id), paid);
    lots.keep(into.id, left);
    lots.note(uses.map((use) => ({ entryId: back.posted.entry.id, ...use })));
  }
  await writeTogether(tx, [
    ...lots.writes(),
    ...historyWrites([{ posted: back.posted, earned: null }]),
    entriesWrite([out.posted.entry, back.posted.entry]),
    accountsWrite([{ ...out.account, closedAt: now }, back.account]),
  ]);
  await mergeRuleUses(tx, from.id, into.id);
  await appendEvents(tx, call, ports.clock, eventsOf(call, back.posted));
}

const opposite = (movement: Movement): Movement => ({
  points: 0 - movement.points,
  qualifying: 0 - movement.qualifying,
  pending: 0 - movement.pending,
  held: 0 - movement.held,
  debt: 0 - movement.debt,
});

function moveOf(
  call: Call,
  account: AccountRow,
  { places, ...movement }: Movement,
  otherCustomerId: string,
  tiers: readonly Tier[],
  now: Date,
): { readonly posted: Posted; readonly account: AccountRow } {
  const posting = post(account, { ...movement, places }, tiers, now);
  if ('kind' in posting) throw new Error(`the points of a merged customer cannot be moved: ${posting.kind}`);
  const { after, number, balanceAfter, recordedAt, tierChange } = posting;
  const entry: EntryRow = {
    ...movement,
    id: newId(),
    accountId: account.id,
    number,
    kind: 'ADJUST',
    phase: 'POSTED',
    balanceAfter,
    rule: null,
    ruleVersion: null,
    source: 'MERGE',
    sourceId: otherCustomerId,
    reverses: null,
    settles: null,
    reason: null,
    actor: actorName(call.actor),
    effectiveAt: now,
    recordedAt,
    expiresAt: null,
  };
  const left = { ...account, ...after, tierSince: tierChange === null ? account.tierSince : recordedAt };
  return { posted: { entry, lapsed: null, account: left, tierChange, replayed: false }, account: left };
}

/** The person is gone: accounts close, words go, entries and sums stay. */
export async function eraseCustomers(tx: Tx, clock: Clock, customerIds: readonly string[]): Promise<void> {
  const accounts = await lockAccounts(tx, customerIds);
  if (accounts.length === 0) return;
  await closeAccounts(
    tx,
    accounts.map((account) => account.id),
    clock.now(),
  );
  await redactReasons(tx, customerIds);
}
