import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type Queryable, type Tx, textArray } from '../../../src/core/database/index.ts';
import type { DomainError } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import type { NewCustomer } from '../contract.ts';
import { CustomerErased, CustomerNotFound } from '../errors.ts';
import { customerCreated } from '../events.ts';

/** How a record names its customer: by exactly one of the two. */
export interface CustomerReference {
  readonly customerId?: string | null | undefined;
  readonly customerExternalId?: string | null | undefined;
}

type Origin = 'event' | 'order' | 'import' | 'upsert';

/** A reference to resolve, with what is needed to make the customer. */
export interface ReferenceItem {
  readonly reference: CustomerReference;
  /** Business time of the record: the signup of a customer that it makes known. */
  readonly seenAt: Date;
  readonly path: readonly (string | number)[];
}

/** Ids of external ids, former ones included. Index scans by unique keys, one row per name. */
export async function idsByExternalIds(
  queryable: Queryable,
  externalIds: readonly string[],
): Promise<Map<string, string>> {
  if (externalIds.length === 0) return new Map();
  const rows = await queryable.query<{ externalId: string; id: string }>(
    `select n as "externalId", coalesce(c.id, a.customer_id) as id
     from unnest($1::text[]) as n
     left join customer c on c.external_id = n
     left join customer_alias a on c.id is null and a.external_id = n
     where coalesce(c.id, a.customer_id) is not null`,
    [externalIds],
    { name: 'customer_ids_by_external_id' },
  );
  return new Map(rows.map((row) => [row.externalId, row.id]));
}

/** A customer with the activity on record. */
export interface KnownCustomer {
  readonly id: string;
  readonly lastActivityMs: number | null;
  readonly firstOrderMs: number | null;
}

/** The same, with the activity on record. */
export async function customersByExternalIds(
  queryable: Queryable,
  externalIds: readonly string[],
): Promise<Map<string, KnownCustomer>> {
  if (externalIds.length === 0) return new Map();
  const rows = await queryable.query<KnownCustomer & { externalId: string }>(
    `select n as "externalId", c.id, extract(epoch from c.last_activity_at)::float8 * 1000 as "lastActivityMs",
       extract(epoch from c.first_order_at)::float8 * 1000 as "firstOrderMs"
     from unnest($1::text[]) as n
     left join customer o on o.external_id = n
     left join customer_alias a on o.id is null and a.external_id = n
     join customer c on c.id = coalesce(o.id, a.customer_id)`,
    [textArray(externalIds)],
    { name: 'customers_by_external_id' },
  );
  return new Map(rows.map(({ externalId, ...known }) => [externalId, known]));
}

/**
 * Customers by their present external ids as lines of JSON for the history engine: external id, id, last activity and
 * first order in milliseconds (0 for none). Who is not on record has no line.
 */
export async function linesOfCustomers(queryable: Queryable, externalIds: readonly string[]): Promise<string> {
  const [found] = await queryable.query<{ lines: string | null }>(
    `select string_agg(json_build_array(external_id, id, coalesce((extract(epoch from last_activity_at) * 1000)::bigint, 0),
       coalesce((extract(epoch from first_order_at) * 1000)::bigint, 0))::text, E'\n') as lines
     from customer where external_id = any($1::text[])`,
    [textArray(externalIds)],
    { name: 'customers_as_lines' },
  );
  return found?.lines ?? '';
}

/** Of the ids given: those merged away, with the customer who lives on. */
export async function survivors(queryable: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await queryable.query<{ formerId: string; id: string }>(
    'select former_id as "formerId", customer_id as id from customer_alias where former_id = any($1::uuid[])',
    [ids],
    { name: 'customer_survivors' },
  );
  return new Map(rows.map((row) => [row.formerId, row.id]));
}

/** Changes the kept number of customers. Writers of different connections use different rows. */
export async function countCustomers(tx: Tx, change: number): Promise<void> {
  if (change === 0) return;
  await tx.query(
    'update customer_counter set customers = customers + $1 where shard = pg_backend_pid() % 16',
    [change],
    { name: 'customer_count' },
  );
}

/**
 * Makes customers for external ids that nobody has, the same row for callers that race.
 * @returns ids by external id, for all that were asked for
 */
export async function ensureCustomers(
  tx: Tx,
  call: Call,
  clock: Clock,
  customers: readonly NewCustomer[],
  options: { readonly origin: Origin; readonly quiet?: boolean },
): Promise<Map<string, string>> {
  const first = new Map<string, NewCustomer>();
  for (const customer of customers) {
    const known = first.get(customer.externalId);
    if (known === undefined || customer.seenAt < known.seenAt) first.set(customer.externalId, customer);
  }
  const ids = await idsByExternalIds(tx, [...first.keys()]);
  const missing = [...first.keys()].filter((externalId) => !ids.has(externalId)).sort();
  if (missing.length === 0) return ids;
  const times = (of: (customer: NewCustomer) => Date | null | undefined) =>
    missing.map((externalId) => of(first.get(externalId) as NewCustomer)?.toISOString() ?? null);
  const made = await tx.query<{ id: string; externalId: string }>(
    `insert into customer (id, external_id, name, status, signup_at, last_activity_at, first_order_at, created_at, updated_at)
     select id, external_id, external_id, 'ACTIVE', signup_at, last_at, order_at, $6, $6
     from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
       as n(id, external_id, signup_at, last_at, order_at)
     on conflict (external_id) do nothing returning id, external_id as "externalId"`,
    [
      missing.map(() => newId()),
      missing,
      times(({ seenAt }) => seenAt),
      times(({ lastActivityAt }) => lastActivityAt),
      times(({ firstOrderAt }) => firstOrderAt),
      clock.now(),
    ],
    { name: 'customer_ensure' },
  );
  for (const row of made) ids.set(row.externalId, row.id);
  await countCustomers(tx, made.length);
  if (options.quiet !== true && made.length > 0) {
    const events = made.map(({ id }) =>
      newEvent(customerCreated, {
        customerId: id,
        payload: { customerId: id, status: 'ACTIVE', origin: options.origin },
      }),
    );
    await appendEvents(tx, call, clock, events);
  }
  // Made by somebody else between our look and our insert, which has waited for their commit.
  const raced = missing.filter((externalId) => !ids.has(externalId));
  for (const [externalId, id] of await idsByExternalIds(tx, raced)) ids.set(externalId, id);
  return ids;
}

/**
 * The customer of each record, in order: follows former names, makes customers not known when `create` says so, and
 * answers CustomerNotFound for the rest.
 */
export async function resolveReferences(
  tx: Tx,
  call: Call,
  clock: Clock,
  items: readonly ReferenceItem[],
  options: { readonly create: boolean; readonly origin: Origin },
): Promise<(string | DomainError)[]> {
  const named = items.flatMap(({ reference, seenAt }) =>
    typeof reference.customerExternalId === 'string' ? [{ externalId: reference.customerExternalId, seenAt }] : [],
  );
  const byName = options.create
    ? await ensureCustomers(tx, call, clock, named, { origin: options.origin })
    : await idsByExternalIds(tx, [...new Set(named.map((item) => item.externalId))]);
  const byId = await livingIds(
    tx,
    items.flatMap(({ reference }) => (typeof reference.customerId === 'string' ? [reference.customerId] : [])),
  );
  return items.map(({ reference, path }) => {
    const { customerId: id, customerExternalId: externalId } = reference;
    if (typeof externalId === 'string') {
      return (
        byName.get(externalId) ?? new CustomerNotFound({ externalId }, [...path.map(String), 'customerExternalId'])
      );
    }
    const found = byId.get(id as string);
    if (found === undefined) return new CustomerNotFound({ id: id as string }, [...path.map(String), 'customerId']);
    return found.erased ? new CustomerErased(id as string, [...path.map(String), 'customerId']) : found.id;
  });
}

/** Of the ids given, those of customers, each with the id to use. */
export async function livingIds(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Map<string, { readonly id: string; readonly erased: boolean }>> {
  if (ids.length === 0) return new Map();
  const rows = await queryable.query<{ asked: string; id: string; erased: boolean }>(
    `select n as asked, c.id, c.erased_at is not null as erased
     from unnest($1::uuid[]) as n
     left join customer_alias a on a.former_id = n
     join customer c on c.id = coalesce(a.customer_id, n)`,
    [[...new Set(ids)]],
    { name: 'customer_living_ids' },
  );
  return new Map(rows.map((row) => [row.asked, row]));
}
