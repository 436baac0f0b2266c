import { DEFAULT_RULES, DEFAULT_TIERS } from '../../../modules/loyalty/defaults.ts';
import type { LedgerCommand } from '../../../modules/loyalty/ledger/commands.ts';
import { byAge, type Lot } from '../../../modules/loyalty/ledger/domain/lots.ts';
import type { AccountRow, OwnedEntryRow } from '../../../modules/loyalty/ledger/queries.ts';
import type { LotUseRow } from '../../../modules/loyalty/ledger/queries-lots.ts';
import { decide } from '../../../modules/loyalty/ledger/service-decide.ts';
import type { Desk } from '../../../modules/loyalty/ledger/service-desk.ts';
import { createLotBook } from '../../../modules/loyalty/ledger/service-lots.ts';
import type { Programme } from '../../../modules/loyalty/programme/programme.ts';
import { CAMPAIGNS, ORDER_POINTS, TIER_QUALIFICATION } from '../../../modules/loyalty/programme/settings.ts';
import { manualClock } from '../../../src/core/clock.ts';
import { DomainError, IdempotencyConflict } from '../../../src/core/errors.ts';
import { hashInput } from '../../../src/core/idempotency.ts';
import { newId } from '../../../src/core/ids.ts';
import { START } from '../world.ts';
import { CUSTOMERS, type Outcome, type TestedLedger } from './model.ts';
import { MONTHS } from './naive.ts';

const programme: Programme = {
  tiers: DEFAULT_TIERS,
  rules: DEFAULT_RULES,
  autoEnrol: true,
  timeZone: 'UTC',
  expiry: { months: MONTHS, at: 'END_OF_DAY' },
  reversalOfSpent: 'DEBT',
  ...CAMPAIGNS.default,
  orderPoints: ORDER_POINTS.default,
  qualification: TIER_QUALIFICATION.default,
  versions: { rules: 0, orders: 0 },
};

/** The rules of the ledger without a database: every decision is the real one, and what it says is kept in maps. */
export function memoryLedger(): TestedLedger {
  const clock = manualClock(START);
  const accounts = new Map<string, AccountRow>();
  const entries = new Map<string, OwnedEntryRow>();
  const lots = new Map<string, readonly Lot[]>();
  const uses: LotUseRow[] = [];
  const ruleUses = new Map<string, number>();
  const keys = new Map<string, { readonly hash: Buffer; readonly entryId: string }>();
  const customers = Array.from({ length: CUSTOMERS }, newId);
  for (const customerId of customers) {
    accounts.set(customerId, {
      id: customerId,
      customerId,
      joinedAt: START,
      tier: 'BRONZE',
      tierSince: START,
      balance: 0,
      pending: 0,
      held: 0,
      debt: 0,
      earned: 0,
      entryCount: 0,
      lastEntryAt: null,
      closedAt: null,
    });
  }
  const change = (id: string, more: Partial<OwnedEntryRow>) => {
    const entry = entries.get(id);
    if (entry !== undefined) entries.set(id, { ...entry, ...more });
  };
  const lotOf = (lotId: string, points: number): Lot => {
    const { effectiveAt: earnedAt, expiresAt } = entries.get(lotId) as OwnedEntryRow;
    return { id: lotId, earnedAt, expiresAt, points };
  };

  function runOne(command: LedgerCommand): Outcome {
    const customerId = 'entryId' in command ? entries.get(command.entryId)?.customerId : command.customerId;
    if (customerId === undefined) return { code: 'LOYALTY_ENTRY_NOT_FOUND' };
    const account = accounts.get(customerId) as AccountRow;
    const book = createLotBook((lots.get(account.id) ?? []).map((lot) => ({ ...lot, accountId: account.id })));
    const noted: LotUseRow[] = [];
    const desk: Desk = {
      programme,
      now: clock.now(),
      used: (id, rule, start) => ruleUses.get(`${id} ${rule} ${start.getTime()}`) ?? 0,
      noteUse: (id, { rule, period, after }) => void ruleUses.set(`${id} ${rule} ${period.start.getTime()}`, after),
      traits: () => undefined,
      qualification: null,
      lots: { ...book, note: (more) => void noted.push(...more) },
      entry: (id) => entries.get(id),
      takenBy: (id) =>
        uses
          .filter((use) => use.entryId === id && use.points > 0)
          .map((use) => lotOf(use.lotId, use.points))
          .sort(byAge),
      lapsedOf: (id) =>
        uses
          .filter((use) => use.lotId === id && entries.get(use.entryId)?.kind === 'EXPIRE')
          .reduce((sum, use) => sum + use.points, 0),
      noteLapsed: () => {},
      noteReversed: (id) => change(id, { reversed: true }),
      noteSettled: (id) => change(id, { waits: false }),
    };
    const decision = decide(desk, account, command);
    if (decision instanceof DomainError) return { code: decision.code };
    for (const entry of [decision.entry, decision.lapsed]) {
      if (entry === null) continue;
      const more = { actor: 'model', customerId, joinedAt: START, reversed: false };
      entries.set(entry.id, { ...entry, ...more, waits: entry.phase === 'PENDING' });
    }
    accounts.set(customerId, decision.account);
    lots.set(account.id, book.of(account.id));
    uses.push(...noted);
    return { code: 'ok', entryId: decision.entry.id, replayed: false };
  }

  return {
    customers,
    now: clock.now,
    advance: clock.advance,
    async run(command, key) {
      const hash = hashInput(command);
      const before = keys.get(key);
      if (before !== undefined) {
        if (!before.hash.equals(hash)) return { code: new IdempotencyConflict(key).code };
        return { code: 'ok', entryId: before.entryId, replayed: true };
      }
      const outcome = runOne(command);
      if (outcome.entryId !== undefined) keys.set(key, { hash, entryId: outcome.entryId });
      return outcome;
    },
    async expire() {
      for (const customerId of customers) runOne({ kind: 'expire', customerId });
    },
    async voidTimedOut() {
      const late = [...entries.values()].filter(({ waits }) => waits);
      // In the order of their time, as the job finds them.
      late.sort((a, b) => (a.expiresAt?.getTime() ?? 0) - (b.expiresAt?.getTime() ?? 0));
      for (const { id } of late) runOne({ kind: 'void', entryId: id, timedOut: true });
    },
    async standing(customerId) {
      const { balance, held, pending, debt, earned, tier, id } = accounts.get(customerId) as AccountRow;
      return { balance, held, pending, debt, earned, tier, lots: (lots.get(id) ?? []).map(({ points }) => points) };
    },
  };
}
