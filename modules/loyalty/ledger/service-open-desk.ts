import type { Tx } from '../../../src/core/database/index.ts';
import type { CustomerTraits } from '../programme/domain/campaigns.ts';
import { asksForTraits, capOf } from '../programme/service-earn.ts';
import { openQualification } from '../programme/service-qualification.ts';
import { type LedgerRequest, namesEntry } from './commands.ts';
import type { Lot } from './domain/lots.ts';
import { type AccountRow, entriesByIds, type OwnedEntryRow, type RuleUse, ruleUses } from './queries.ts';
import { type LotKey, lapsedOf, takenBy } from './queries-lots.ts';
import type { Desk } from './service-desk.ts';
import { type LotsNeeded, loadLots } from './service-lots.ts';

/** A desk on what the database says. */
export interface OpenDesk extends Desk {
  /** Uses of capped rules that the batch changed. */
  uses(): RuleUse[];
  /** All uses that were looked at, as the batch leaves them. */
  usesKnown(): RuleUse[];
}

/** What must be known behind the locks before anything is decided. */
export async function openDesk(
  tx: Tx,
  ports: { traitsOf(tx: Tx, customerIds: readonly string[]): Promise<ReadonlyMap<string, CustomerTraits>> },
  { programme, now }: Pick<Desk, 'programme' | 'now'>,
  requests: readonly LedgerRequest[],
  accountOf: (request: LedgerRequest) => AccountRow | undefined,
): Promise<OpenDesk> {
  const accountIdOf = (request: LedgerRequest) => accountOf(request)?.id;
  const named = requests.flatMap(({ command }) => (namesEntry(command) ? [command.entryId] : []));
  const entries = new Map((await entriesByIds(tx, named)).map((entry) => [entry.id, entry]));
  const sourceOf = (entry: OwnedEntryRow) => entry.settles ?? entry.id;
  const taken = Map.groupBy(await takenBy(tx, [...entries.values()].map(sourceOf)), (lot) => lot.entryId);
  const takenFrom = (entryId: string): readonly Lot[] => taken.get(entryId) ?? [];
  const needed = lotsNeeded(requests, accountIdOf, entries, takenFrom);
  const own = named.filter((id) => (entries.get(id)?.points ?? 0) > 0);
  const [lots, lapsed] = await Promise.all([loadLots(tx, needed, now), lapsedOf(tx, own)]);

  const useKey = (accountId: string, rule: string, start: Date) => `${accountId} ${rule} ${start.getTime()}`;
  const wanted = new Map<string, Omit<RuleUse, 'times'>>();
  const curious = new Set<string>();
  for (const request of requests) {
    const account = accountOf(request);
    if (account === undefined) continue;
    if (asksForTraits(programme, request.command, now)) curious.add(account.customerId);
    const cap = capOf(programme, request.command, now);
    if (cap === null) continue;
    const use = { accountId: account.id, rule: cap.rule, periodStart: cap.period.start };
    wanted.set(useKey(use.accountId, use.rule, use.periodStart), use);
  }
  const times = new Map<string, number>();
  for (const use of await ruleUses(tx, [...wanted.values()])) {
    times.set(useKey(use.accountId, use.rule, use.periodStart), use.times);
  }
  const traits = curious.size === 0 ? null : await ports.traitsOf(tx, [...curious]);
  const accountIds = new Set(requests.map(accountIdOf).filter((id) => id !== undefined));
  const qualification = await openQualification(tx, programme, now, [...accountIds]);
  const changed = new Map<string, RuleUse>();
  return {
    programme,
    now,
    used: (accountId, rule, start) => times.get(useKey(accountId, rule, start)) ?? 0,
    noteUse(accountId, { rule, period, after }) {
      const key = useKey(accountId, rule, period.start);
      times.set(key, after);
      changed.set(key, { accountId, rule, periodStart: period.start, times: after });
    },
    traits: (customerId) => traits?.get(customerId),
    qualification,
    lots,
    entry: (id) => entries.get(id),
    takenBy: takenFrom,
    lapsedOf: (lotId) => lapsed.get(lotId) ?? 0,
    noteLapsed(gone) {
      for (const lot of gone) lapsed.set(lot.id, (lapsed.get(lot.id) ?? 0) + lot.points);
    },
    noteReversed(id) {
      const entry = entries.get(id);
      if (entry !== undefined) entries.set(id, { ...entry, reversed: true });
    },
    noteSettled(id) {
      const entry = entries.get(id);
      if (entry !== undefined) entries.set(id, { ...entry, waits: false });
    },
    uses: () => [...changed.values()],
    usesKnown: () => [...wanted].map(([key, use]) => ({ ...use, times: times.get(key) ?? 0 })),
  };
}

/** Which lots a batch may take from or give back to. */
function lotsNeeded(
  requests: readonly LedgerRequest[],
  accountIdOf: (request: LedgerRequest) => string | undefined,
  entries: ReadonlyMap<string, OwnedEntryRow>,
  takenFrom: (entryId: string) => readonly Lot[],
): LotsNeeded {
  const points = new Map<string, number>();
  const keys: LotKey[] = [];
  const expiring = new Set<string>();
  for (const request of requests) {
    const { command } = request;
    const accountId = accountIdOf(request);
    if (accountId === undefined) continue;
    const need = (more: number) => points.set(accountId, (points.get(accountId) ?? 0) + more);
    if (command.kind === 'expire') expiring.add(accountId);
    else if (command.kind === 'redeem' || command.kind === 'hold') need(command.points);
    else if (command.kind === 'adjust') need(Math.max(-command.points, 0));
    if (!namesEntry(command)) continue;
    const entry = entries.get(command.entryId);
    if (entry === undefined) continue;
    for (const lot of takenFrom(entry.settles ?? entry.id)) keys.push({ accountId, ...lot });
    if (command.kind !== 'reverse' || entry.points < 0) continue;
    need(entry.points - entry.debt);
    keys.push({ accountId, id: entry.id, earnedAt: entry.effectiveAt });
  }
  for (const [accountId, more] of points) if (more === 0) points.delete(accountId);
  return { points, keys, expiring: [...expiring] };
}
