import type { CustomerPort } from '../../modules/customers/contract.ts';
import { customersByIds, subscriptionsOf } from '../../modules/customers/queries/facts.ts';
import { survivors } from '../../modules/customers/service/references.ts';
import { createLoyaltyService, type LoyaltyService } from '../../modules/loyalty/service.ts';
import { loyaltySettings } from '../../modules/loyalty/settings.ts';
import { manualClock } from '../../src/core/clock.ts';
import { createDatabase, type Database } from '../../src/core/database/index.ts';
import { DomainError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/ids.ts';
import { createLogger } from '../../src/core/logger.ts';
import { BUSINESS, createSettings, type Settings } from '../../src/core/settings/index.ts';

/** The loyalty service on a database, at a moment that tests choose. */
export interface LoyaltyWorld {
  readonly database: Database;
  readonly settings: Settings;
  readonly clock: ReturnType<typeof manualClock>;
  readonly service: LoyaltyService;
  readonly customers: LedgerCustomers;
  close(): Promise<void>;
}

/** What the ledger asks of customers. */
export type LedgerCustomers = Pick<CustomerPort, 'byIds' | 'survivors' | 'subscriptions'>;

export const START = new Date('2026-11-22T12:00:00.000Z');

/** Opens the service on a migrated database; also used by the processes that tests start. */
export async function openLoyalty(url: string, options: { maxConnections?: number } = {}): Promise<LoyaltyWorld> {
  const database = createDatabase({
    url,
    logger: createLogger('silent'),
    maxConnections: options.maxConnections ?? 8,
    applicationName: 'loyalty test',
  });
  const clock = manualClock(START);
  const settings = createSettings(database, clock);
  settings.declare([BUSINESS, ...loyaltySettings]);
  await settings.refresh();
  const customers: LedgerCustomers = {
    byIds: (ids, within = database) => customersByIds(within, ids),
    survivors: (ids, within = database) => survivors(within, ids),
    subscriptions: (ids, within = database) => subscriptionsOf(within, ids),
  };
  const service = createLoyaltyService({ database, settings, clock }, customers);
  return { database, settings, clock, service, customers, close: () => database.close() };
}

/** Puts customers into the database and returns their ids. */
export async function plantCustomers(database: Database, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, newId);
  await database.query(
    `insert into customer (id, external_id, name, signup_at, created_at, updated_at)
     select id, 'c-' || id, 'Customer', now(), now(), now() from unnest($1::uuid[]) t(id)`,
    [ids],
  );
  return ids;
}

/** What a refused call is answered with. */
export async function refusal(asked: Promise<unknown>): Promise<{ code: string; path: readonly string[] }> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DomainError) return { code: error.code, path: error.path };
  throw new Error(`was not refused as expected: ${String(error)}`);
}

/** Everything that must hold of a ledger, whatever happened to it; empty when it does. */
export function brokenInvariants(database: Database): Promise<{ rule: string; id: string }[]> {
  return database.query(`
    with sums as (
      select account_id, sum(points) as points, sum(qualifying) as qualifying, count(*) as entries, max(number) as last,
             min(balance_after) as lowest, sum(pending) as pending, sum(held) as held, sum(debt) as debt
      from loyalty_entry group by account_id
    ), taken as (
      select lot_id, sum(points) as points from loyalty_lot_use group by lot_id
    ), took as (
      select entry_id, sum(points) as points from loyalty_lot_use group by entry_id
    ), lots as (
      select account_id, sum(points) as points from loyalty_lot group by account_id
    ), waiting as (
      select p.account_id, sum(e.pending) as pending, sum(e.held) as held
      from loyalty_pending p join loyalty_entry e on e.id = p.entry_id group by p.account_id
    ), running as (
      select id, balance_after, sum(points) over (partition by account_id order by number) as total,
             recorded_at, lag(recorded_at) over (partition by account_id order by number) as before
      from loyalty_entry
    ), told as (
      select payload ->> 'entryId' as entry, count(*) as events from outbox_event
      where customer_id is not null and type <> 'loyalty.tierChanged' group by 1
    ), kept as (
      select key, answer ->> 'entryId' as entry from idempotency_key where scope = 'loyalty.ledger'
    )
    select 'balance is the sum of the entries' as rule, a.id::text from loyalty_account a left join sums s on s.account_id = a.id
      where a.balance <> coalesce(s.points, 0)
    union all
    select 'earned is the sum of what qualifies', a.id::text from loyalty_account a left join sums s on s.account_id = a.id
      where a.earned <> coalesce(s.qualifying, 0)
    union all
    select 'numbers have no gap', a.id::text from loyalty_account a left join sums s on s.account_id = a.id
      where a.entry_count <> coalesce(s.entries, 0) or a.entry_count <> coalesce(s.last, 0)
    union all
    select 'no balance was ever below zero', s.account_id::text from sums s where s.lowest < 0
    union all
    select 'each entry says the balance after it', r.id::text from running r where r.balance_after <> r.total
    union all
    select 'recorded time never runs backwards', r.id::text from running r where r.recorded_at < r.before
    union all
    select 'the tier follows what was earned', a.id::text from loyalty_account a
      where a.tier <> case when a.earned >= 5000 then 'PLATINUM' when a.earned >= 2500 then 'GOLD'
                           when a.earned >= 1000 then 'SILVER' else 'BRONZE' end
    union all
    select 'each entry has its event', e.id::text from loyalty_entry e left join told t on t.entry = e.id::text
      where coalesce(t.events, 0) <> case e.phase when 'CONFIRMED' then 2 else 1 end and e.source <> 'MERGE'
    union all
    select 'each kept answer has its entry', k.key from kept k
      where not exists (select from loyalty_entry e where e.id::text = k.entry)
    union all
    select 'each entry has one key', e.id::text
      from loyalty_entry e left join (select entry, count(*) as keys from kept group by entry) k on k.entry = e.id::text
      where e.source not in ('MERGE', 'REWARD') and e.kind <> 'EXPIRE' and coalesce(k.keys, 0) <> 1
        and not (e.phase = 'VOIDED' and e.actor = 'system:loyalty.voidTimedOut' and k.keys is null)
    union all
    select 'what waits, is held and is owed is the sum of the entries', a.id::text
      from loyalty_account a left join sums s on s.account_id = a.id
      where (a.pending, a.held, a.debt) is distinct from (coalesce(s.pending, 0), coalesce(s.held, 0), coalesce(s.debt, 0))
    union all
    select 'what waits is what is not settled', a.id::text from loyalty_account a left join waiting w on w.account_id = a.id
      where a.closed_at is null and (a.pending, a.held) is distinct from (coalesce(w.pending, 0), coalesce(w.held, 0))
    union all
    select 'what waits has no end yet', p.entry_id::text from loyalty_pending p
      where exists (select from loyalty_entry e where e.settles = p.entry_id)
    union all
    select 'the lots hold what is available', a.id::text from loyalty_account a left join lots l on l.account_id = a.id
      where coalesce(l.points, 0) <> case when a.closed_at is null then a.balance - a.held else 0 end
    union all
    select 'a lot holds what came less what was taken', e.id::text
      from loyalty_entry e left join loyalty_lot l on l.entry_id = e.id
      left join taken on taken.lot_id = e.id left join took on took.entry_id = e.id
      where e.source <> 'MERGE' and not exists (select from loyalty_account a where a.id = e.account_id and a.closed_at is not null)
        and coalesce(l.points, 0) <> e.points - e.held + coalesce(took.points, 0) - coalesce(taken.points, 0)
    union all
    select 'a lot is as old as its entry', l.entry_id::text from loyalty_lot l join loyalty_entry e on e.id = l.entry_id
      where (l.earned_at, l.expires_at) is distinct from (e.effective_at, e.expires_at)
    union all
    select 'who owes has nothing to spend', a.id::text from loyalty_account a where a.debt > 0 and a.balance > a.held`);
}
