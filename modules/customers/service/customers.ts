import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import type { CustomerStatus } from '../contract.ts';
import { mergeTraits, nextLifecycle } from '../domain/status.ts';
import { CustomerErased } from '../errors.ts';
import { customerChanged, customerCreated } from '../events.ts';
import { customerInput, readItem } from '../inputs.ts';
import { FUTURE_TOLERANCE } from '../settings.ts';
import { Facts } from './facts.ts';
import { countCustomers } from './references.ts';
import { createStore, type Upserted } from './store.ts';
import {
  changedFields,
  type Ground,
  given,
  type ItemRules,
  kept,
  rulesFor,
  type UpsertedRecord,
  unlessSame,
} from './upsert.ts';

export interface CustomerRow {
  readonly id: string;
  readonly externalId: string;
  readonly name: string;
  readonly businessSegment: string | null;
  readonly ownerId: string | null;
  readonly status: CustomerStatus;
  readonly signupAt: Date;
  readonly churnedAt: Date | null;
  readonly churnReason: string | null;
  readonly traits: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly erasedAt: Date | null;
}

// Last activity and first order are not among them: other paths move those, and an upsert must not move them back.
export const customerStore = createStore<CustomerRow>({
  table: 'customer',
  key: ['externalId'],
  columns: {
    id: { column: 'id', type: 'uuid' },
    externalId: { column: 'external_id', type: 'text' },
    name: { column: 'name', type: 'text' },
    businessSegment: { column: 'business_segment', type: 'text' },
    ownerId: { column: 'owner_id', type: 'uuid' },
    status: { column: 'status', type: 'text' },
    signupAt: { column: 'signup_at', type: 'timestamptz' },
    churnedAt: { column: 'churned_at', type: 'timestamptz' },
    churnReason: { column: 'churn_reason', type: 'text' },
    traits: { column: 'traits', type: 'jsonb' },
    createdAt: { column: 'created_at', type: 'timestamptz' },
    updatedAt: { column: 'updated_at', type: 'timestamptz' },
    erasedAt: { column: 'erased_at', type: 'timestamptz' },
  },
});

type CustomerFields = ReturnType<typeof customerInput.parse>;

/** The row that an item makes of a customer. */
function decide(
  input: CustomerFields,
  was: CustomerRow | null,
  ownerId: string | null | undefined,
  rules: ItemRules,
): CustomerRow | DomainError {
  if (was !== null && was.erasedAt !== null)
    return new CustomerErased(was.id, [...rules.path.map(String), 'externalId']);
  const future = rules.future({ signupAt: input.signupAt, churnedAt: input.churnedAt });
  if (future !== null) return future;
  const signupAt = kept(input.signupAt, was?.signupAt, rules.now);
  const lifecycle = nextLifecycle(was, input, rules.now);
  if ('contradiction' in lifecycle) {
    const field = lifecycle.contradiction;
    return rules.invalid(field, input[field], 'is only for a customer whose status is CHURNED');
  }
  if (input.churnedAt instanceof Date && input.churnedAt < signupAt) {
    return rules.invalid('churnedAt', input.churnedAt, `lies before the signup at ${signupAt.toISOString()}`);
  }
  return {
    id: was?.id ?? newId(),
    externalId: was?.externalId ?? input.externalId,
    name: kept(input.name, was?.name, input.externalId),
    businessSegment: given(input.businessSegment, was?.businessSegment, null),
    ownerId: given(ownerId, was?.ownerId, null),
    signupAt,
    ...lifecycle,
    traits: mergeTraits(was?.traits ?? {}, input.traits ?? {}),
    createdAt: was?.createdAt ?? rules.now,
    updatedAt: rules.now,
    erasedAt: null,
  };
}

function tell(facts: Facts, { before, after }: Upserted<CustomerRow>): void {
  const customerId = after.id;
  if (before === null) {
    const payload = { customerId, status: after.status, origin: 'upsert' as const };
    facts.events.push(newEvent(customerCreated, { customerId, payload }));
    return;
  }
  const status = before.status === after.status ? null : { from: before.status, to: after.status };
  const payload = { customerId, fields: changedFields(before, after), status };
  facts.events.push(newEvent(customerChanged, { customerId, payload }));
}

/** A customer as it stands now; `changed` is false when the item said nothing new. */
type UpsertedCustomer = UpsertedRecord<CustomerRow> & { readonly changed: boolean };

/**
 * Upserts customers by external id, former ones included. History that is imported publishes nothing: `quiet`.
 * @param options.together more to be done in the same transaction
 */
export async function upsertCustomers(
  ground: Ground,
  call: Call,
  inputs: readonly unknown[],
  options: {
    readonly quiet?: boolean;
    readonly together?: (tx: Tx, done: { readonly created: number; readonly changed: number }) => Promise<void>;
  } = {},
): Promise<(UpsertedCustomer | DomainError)[]> {
  const tolerance = await ground.settings.get(FUTURE_TOLERANCE);
  const now = ground.clock.now();
  const answers: (UpsertedCustomer | DomainError)[] = new Array(inputs.length);
  const read = inputs.flatMap((raw, index) => {
    const path = ['input', index];
    const input = readItem(customerInput, raw, path);
    if (!(input instanceof DomainError)) return [{ index, input, path }];
    answers[index] = input;
    return [];
  });
  if (read.length === 0) return answers;

  const done = await ground.database.transaction(async (tx) => {
    const current = await currentNames(
      tx,
      read.map(({ input }) => input.externalId),
    );
    const owners = await ensureManagers(
      tx,
      now,
      read.map(({ input }) => input.owner),
    );
    const items = read.map(({ input, path }) => {
      const ownerId = input.owner === undefined || input.owner === null ? input.owner : owners.get(input.owner.email);
      const rules = rulesFor(path, now, tolerance);
      return {
        key: [current.get(input.externalId) ?? input.externalId],
        decide: (was: CustomerRow | null) => {
          const after = decide(input, was, ownerId, rules);
          return after instanceof DomainError ? after : unlessSame(was, after);
        },
      };
    });
    const upserted = await customerStore.upsert(tx, items);
    const facts = new Facts();
    let created = 0;
    let changed = 0;
    for (const result of upserted) {
      if (result instanceof DomainError || result.before === result.after) continue;
      if (result.before === null) created += 1;
      else changed += 1;
      if (options.quiet !== true) tell(facts, result);
    }
    await countCustomers(tx, created);
    await facts.write(tx, call, ground);
    await options.together?.(tx, { created, changed });
    return upserted;
  });
  read.forEach(({ index }, position) => {
    const result = done[position] as Upserted<CustomerRow> | DomainError;
    answers[index] =
      result instanceof DomainError
        ? result
        : { row: result.after, created: result.before === null, changed: result.before !== result.after };
  });
  return answers;
}

/** For external ids that customers had before: the ones they have now. */
async function currentNames(tx: Tx, externalIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.query<{ former: string; externalId: string }>(
    `select a.external_id as former, c.external_id as "externalId"
     from customer_alias a join customer c on c.id = a.customer_id where a.external_id = any($1::text[])`,
    [externalIds],
    { name: 'customer_current_names' },
  );
  return new Map(rows.map((row) => [row.former, row.externalId]));
}

/** Account managers by e-mail address, made when new; a name that is given replaces the one known. */
async function ensureManagers(
  tx: Tx,
  now: Date,
  owners: readonly ({ readonly email: string; readonly name?: string | null | undefined } | null | undefined)[],
): Promise<Map<string, string>> {
  const named = new Map<string, string | null>();
  for (const owner of owners) {
    if (owner === null || owner === undefined) continue;
    named.set(owner.email, owner.name ?? named.get(owner.email) ?? null);
  }
  if (named.size === 0) return new Map();
  const emails = [...named.keys()].sort();
  const rows = await tx.query<{ id: string; email: string }>(
    `insert into account_manager as m (id, email, name, created_at, updated_at)
     select id, email, coalesce(name, email), $4, $4 from unnest($1::uuid[], $2::text[], $3::text[]) as n(id, email, name)
     on conflict (email) do update set
       name = case when excluded.name = excluded.email then m.name else excluded.name end, updated_at = excluded.updated_at
     returning id, email`,
    [emails.map(() => newId()), emails, emails.map((email) => named.get(email) ?? null), now],
    { name: 'account_manager_ensure' },
  );
  return new Map(rows.map((row) => [row.email, row.id]));
}
