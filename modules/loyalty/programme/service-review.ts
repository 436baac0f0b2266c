import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type Database, type Queryable, type Tx, writeTogether } from '../../../src/core/database/index.ts';
import { eventsWrite, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { type Tier, type TierKey, tierChange } from '../domain/tiers.ts';
import { tierAtRisk, tierChanged } from '../events.ts';
import { daysLater, monthNumber } from '../period.ts';
import { type Finding, review, stretchesOf } from './domain/qualification.ts';
import type { Programme } from './programme.ts';
import { countMonths, monthSums } from './queries-months.ts';
import {
  gracesWrite,
  lockAccountsById,
  placesWrite,
  type StandingRow,
  standingsAfter,
  standingsOf,
} from './queries-review.ts';
import { type TierMove, tierMovesWrite } from './queries-trail.ts';

/** What the review stands on. */
export interface ReviewPorts {
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly clock: Clock;
}

/** What decides where accounts belong. */
export type Ladder = Pick<Programme, 'tiers' | 'qualification' | 'timeZone'>;

/** An account with what counts of it. */
export interface Standing {
  readonly account: StandingRow;
  readonly sums: readonly number[];
}

/** An account with what the review finds. */
export interface Judged extends Standing {
  readonly finding: Finding;
}

/** Accounts per transaction: a batch in which everybody moves takes some 0.1 s, and readers of the outbox wait for it. */
const BATCH = 1_000;

/** What counts of accounts, in any order. Accounts that a window has not counted yet are counted first. */
export async function standingsWith(
  { database, clock }: ReviewPorts,
  { qualification, timeZone }: Ladder,
  accounts: readonly StandingRow[],
): Promise<Standing[]> {
  const stretches = stretchesOf(qualification.window, monthNumber(clock.now(), timeZone));
  if (stretches === null) return accounts.map((account) => ({ account, sums: [account.earned] }));
  const uncounted = accounts.flatMap(({ id, counted }) => (counted ? [] : [id]));
  for (let start = 0; start < uncounted.length; start += BATCH) {
    const ids = uncounted.slice(start, start + BATCH);
    await database.transaction(async (tx) => {
      await lockAccountsById(tx, ids);
      await countMonths(tx, ids, timeZone);
    });
  }
  return summed(database, stretches, accounts);
}

async function summed(
  database: Queryable,
  stretches: NonNullable<ReturnType<typeof stretchesOf>>,
  accounts: readonly StandingRow[],
): Promise<Standing[]> {
  const ids = accounts.map((account) => account.id);
  const sums = await monthSums(database, ids, stretches);
  const nothing = stretches.map(() => 0);
  return accounts.map((account) => ({ account, sums: sums.get(account.id) ?? nothing }));
}

/** Accounts behind `after` with what the review finds, without doing any of it. */
export async function judgeAfter(
  ports: ReviewPorts,
  ladder: Ladder,
  after: string | null,
  limit: number,
): Promise<Judged[]> {
  const accounts = await standingsAfter(ports.database, ladder.timeZone, after, limit);
  return judge(ladder, ports.clock.now(), await standingsWith(ports, ladder, accounts));
}

function judge(ladder: Ladder, now: Date, standings: readonly Standing[]): Judged[] {
  const { tiers, qualification, timeZone } = ladder;
  const graceEnds = daysLater(now, qualification.graceDays, timeZone);
  return standings.map((one) => ({
    ...one,
    finding: review(
      { tier: one.account.tier, sums: one.sums, downgradeAt: one.account.downgradeAt },
      tiers,
      now,
      graceEnds,
    ),
  }));
}

const isDue = ({ finding }: Judged): boolean => finding.kind !== 'KEEP' && finding.kind !== 'WAIT';

/** What a run came to. */
export interface ReviewRun {
  readonly accounts: number;
  readonly raised: number;
  readonly lowered: number;
  readonly warned: number;
  /** Where the next run goes on; null: everybody was looked at. */
  readonly next: string | null;
}

/**
 * Reviews accounts in the order of their ids, a bounded batch per transaction, of which only those are locked for whom
 * there is something to do. May be stopped and begun again at any point: who was reviewed has nothing due.
 * @param limit of accounts in this run
 */
export async function reviewTiers(
  ports: ReviewPorts,
  call: Call,
  ladder: Ladder,
  from: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<ReviewRun> {
  const run = { accounts: 0, raised: 0, lowered: 0, warned: 0 };
  let next = from;
  while (run.accounts < limit) {
    signal?.throwIfAborted();
    const judged = await judgeAfter(ports, ladder, next, BATCH);
    const due = judged.filter(isDue).map(({ account }) => account.id);
    if (due.length > 0) {
      const done = await ports.database.transaction((tx) => settle(tx, ports.clock, call, ladder, due));
      for (const { finding } of done) {
        if (finding.kind === 'RAISE') run.raised += 1;
        else if (finding.kind === 'LOWER') run.lowered += 1;
        else if (finding.kind === 'WARN') run.warned += 1;
      }
    }
    run.accounts += judged.length;
    next = judged.at(-1)?.account.id ?? null;
    if (judged.length < BATCH) return { ...run, next: null };
  }
  return { ...run, next };
}

/** Does what is due, judged anew behind the locks: entries may have come meanwhile. */
async function settle(
  tx: Tx,
  clock: Clock,
  call: Call,
  ladder: Ladder,
  ids: readonly string[],
): Promise<readonly Judged[]> {
  const { tiers, qualification, timeZone } = ladder;
  const now = clock.now();
  await lockAccountsById(tx, ids);
  const accounts = await standingsOf(tx, timeZone, ids);
  const stretches = stretchesOf(qualification.window, monthNumber(now, timeZone));
  if (stretches !== null) await countMonths(tx, ids, timeZone);
  const standings =
    stretches === null
      ? accounts.map((account) => ({ account, sums: [account.earned] }))
      : await summed(tx, stretches, accounts);
  const due = judge(ladder, now, standings).filter(isDue);
  if (due.length === 0) return due;
  const moves = due.flatMap((one) => moveOf(one, now));
  const events = eventsWrite(
    call,
    clock,
    due.map((one) => factOf(one, tiers)).filter((event) => event !== null),
  );
  const graces = due.flatMap(({ account, finding }) => {
    const downgradeAt = finding.kind === 'WARN' ? finding.downgradeAt : null;
    return downgradeAt === null && account.downgradeAt === null ? [] : [{ accountId: account.id, downgradeAt }];
  });
  await writeTogether(tx, [
    ...(graces.length === 0 ? [] : [gracesWrite(graces)]),
    ...(events.ids.length === 0 ? [] : [events]),
    ...(moves.length === 0 ? [] : [tierMovesWrite(moves), placesWrite(moves)]),
  ]);
  return due;
}

function moveOf({ account, finding }: Judged, at: Date): TierMove[] {
  if (finding.kind !== 'RAISE' && finding.kind !== 'LOWER') return [];
  const { id: accountId, tier: from } = account;
  return [{ id: newId(), accountId, from, to: finding.to, at, cause: 'REVIEW', entryId: null }];
}

function factOf({ account, sums, finding }: Judged, tiers: readonly Tier[]): NewEvent | null {
  const { id: accountId, customerId, tier, earned, balance } = account;
  if (finding.kind === 'WARN') {
    const { to, downgradeAt } = finding;
    const counting = Math.max(sums[0] ?? 0, 0);
    const payload = { accountId, tier, to, counting, pointsToKeep: pointsToKeep(tiers, tier, sums) };
    return newEvent(tierAtRisk, { customerId, payload: { ...payload, downgradeAt: downgradeAt.toISOString() } });
  }
  const change = finding.kind === 'RAISE' || finding.kind === 'LOWER' ? tierChange(tier, finding.to) : null;
  if (change === null) return null;
  const payload = { accountId, entryId: null, cause: 'REVIEW' as const, ...change, earned, balance };
  return newEvent(tierChanged, { customerId, payload });
}

/** Points still to earn in the running stretch to hold a tier; 0 when one of the stretches suffices. */
export function pointsToKeep(tiers: readonly Tier[], tier: TierKey, sums: readonly number[]): number {
  const from = tiers.find((one) => one.key === tier)?.from ?? 0;
  return sums.some((sum) => sum >= from) ? 0 : from - Math.max(sums[0] ?? 0, 0);
}
