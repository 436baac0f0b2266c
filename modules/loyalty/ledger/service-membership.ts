import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database, Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { appendEvents, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { CustomerNotFound, type CustomerPort } from '../../customers/contract.ts';
import type { Tier } from '../domain/tiers.ts';
import { NotAMember } from '../errors.ts';
import { customersEnrolled } from '../events.ts';
import { type AccountRow, customersWithoutAccount, lockAccounts, type NewAccount, openAccounts } from './queries.ts';

/** What membership stands on. */
export interface MembershipPorts {
  readonly clock: Clock;
  readonly customers: Pick<CustomerPort, 'byIds' | 'survivors'>;
}

/** Somebody who asked to be enrolled: the account, and whether it was there before. */
export interface Enrolled {
  readonly account: AccountRow;
  readonly alreadyMember: boolean;
}

/** Customers per event, transaction and read: bounded, since write transactions hold readers of the outbox back. */
export const ENROL_BATCH = 1_000;

/**
 * Locks the account of each customer; a former id of a merged customer leads to the one who lives on. Accounts come
 * first and in one order, then those to be opened, so that two transactions never wait for each other in a circle.
 * @param join whether who has no account gets one
 */
export async function accountsOf(
  tx: Tx,
  ports: MembershipPorts,
  call: Call,
  customerIds: readonly string[],
  options: { readonly join: boolean; readonly tiers: readonly Tier[] },
): Promise<Map<string, AccountRow | DomainError>> {
  const open = new Map<string, AccountRow>();
  const lock = async (ids: readonly string[]) => {
    if (ids.length === 0) return;
    for (const account of await lockAccounts(tx, ids))
      if (account.closedAt === null) open.set(account.customerId, account);
  };
  await lock(customerIds);
  const missing = customerIds.filter((id) => !open.has(id));
  const survivors = missing.length === 0 ? new Map<string, string>() : await ports.customers.survivors(missing, tx);
  await lock([...new Set(survivors.values())].filter((id) => !open.has(id)).sort());
  const nameOf = (id: string) => survivors.get(id) ?? id;
  const without = [...new Set(missing.map(nameOf))].filter((id) => !open.has(id));
  const known = new Set(without.length === 0 ? [] : (await ports.customers.byIds(without, tx)).map((one) => one.id));
  if (options.join && known.size > 0) {
    for (const account of await join(tx, ports, call, [...known], options.tiers)) open.set(account.customerId, account);
  }
  return new Map(
    customerIds.map((id) => {
      const account = open.get(nameOf(id));
      return [id, account ?? (known.has(nameOf(id)) ? new NotAMember(id) : noCustomer(id))];
    }),
  );
}

/** Opens accounts for customers who exist, publishes it, and returns the accounts of all, locked. */
async function join(
  tx: Tx,
  { clock }: MembershipPorts,
  call: Call,
  customerIds: readonly string[],
  tiers: readonly Tier[],
): Promise<AccountRow[]> {
  const opened = await openAccounts(tx, newAccounts(clock, customerIds, tiers));
  await publishEnrolled(tx, clock, call, opened);
  const others = customerIds.filter((id) => !opened.some((account) => account.customerId === id));
  return others.length === 0 ? opened : [...opened, ...(await lockAccounts(tx, others))];
}

async function publishEnrolled(tx: Tx, clock: Clock, call: Call, opened: readonly AccountRow[]): Promise<void> {
  const events: NewEvent[] = [];
  for (let start = 0; start < opened.length; start += ENROL_BATCH) {
    const customerIds = opened.slice(start, start + ENROL_BATCH).map((account) => account.customerId);
    const [only, ...rest] = customerIds;
    const customerId = rest.length === 0 ? (only ?? null) : null;
    events.push(newEvent(customersEnrolled, { customerId, payload: { count: customerIds.length, customerIds } }));
  }
  await appendEvents(tx, call, clock, events);
}

/** Makes customers members; one answer each, in order. */
export async function enrol(
  tx: Tx,
  ports: MembershipPorts,
  call: Call,
  customerIds: readonly string[],
  tiers: readonly Tier[],
): Promise<(Enrolled | DomainError)[]> {
  const ids = [...new Set(customerIds)].sort();
  const before = await accountsOf(tx, ports, call, ids, { join: false, tiers });
  const after = await accountsOf(tx, ports, call, ids, { join: true, tiers });
  return customerIds.map((id) => {
    const account = after.get(id) ?? noCustomer(id);
    if (account instanceof DomainError) return account;
    return { account, alreadyMember: !(before.get(id) instanceof DomainError) };
  });
}

/**
 * Makes all customers members, a bounded batch per transaction; may be stopped and begun again at any point.
 * @returns how many joined
 */
export async function enrolEverybody(
  database: Pick<Database, 'query' | 'transaction'>,
  ports: MembershipPorts,
  call: Call,
  tiers: readonly Tier[],
  signal?: AbortSignal,
): Promise<number> {
  let joined = 0;
  let after: string | null = null;
  for (;;) {
    signal?.throwIfAborted();
    const ids: string[] = await customersWithoutAccount(database, after, ENROL_BATCH);
    if (ids.length === 0) return joined;
    joined += await database.transaction(async (tx) => {
      const opened = await openAccounts(tx, newAccounts(ports.clock, ids, tiers));
      await publishEnrolled(tx, ports.clock, call, opened);
      return opened.length;
    });
    after = ids.at(-1) ?? null;
  }
}

function newAccounts(clock: Clock, customerIds: readonly string[], tiers: readonly Tier[]): NewAccount[] {
  const joinedAt = clock.now();
  const tier = (tiers[0] as Tier).key;
  return customerIds.map((customerId) => ({ id: newId(), customerId, joinedAt, tier }));
}

const noCustomer = (id: string) => new CustomerNotFound({ id }, ['customerId']);
