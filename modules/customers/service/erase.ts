import { blankEvents } from '../../../src/core/analytics/index.ts';
import { audit } from '../../../src/core/audit.ts';
import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import { CustomerNotFound } from '../errors.ts';
import { customerErased } from '../events.ts';
import { identitiesChanged } from './known-customers.ts';
import { countCustomers, survivors } from './references.ts';
import type { Ground } from './upsert.ts';

/** What a person's traces are found by, outside the tables. Lives only in the job that looks for them. */
export interface Traces {
  readonly customerIds: readonly string[];
  readonly names: readonly string[];
}

/** Events on their way into the history when the erasure ran have arrived by then: the second sweep finds them. */
const SECOND_SWEEP_AFTER_MS = 600_000;

/**
 * Removes the personal data of a customer: contacts, names, traits, free text, properties of events. What remains is a
 * row without a name, so that sums, counts and the ledger stay as they were. Done again, it does nothing.
 */
export async function eraseCustomer(
  ground: Ground,
  call: Call,
  input: { readonly id: string },
): Promise<{ customerId: string; erased: boolean }> {
  return ground.database.transaction(async (tx) => {
    const id = (await survivors(tx, [input.id])).get(input.id) ?? input.id;
    const [customer] = await tx.query<{ externalId: string; erasedAt: Date | null }>(
      'select external_id as "externalId", erased_at as "erasedAt" from customer where id = $1 for update',
      [id],
    );
    if (customer === undefined) throw new CustomerNotFound({ id: input.id }, ['input', 'id']);
    if (customer.erasedAt !== null) return { customerId: id, erased: false };
    const traces = await tracesOf(tx, id, customer.externalId);
    const now = ground.clock.now();
    await tx.query('delete from contact where customer_id = $1', [id]);
    await tx.query('update subscription set cancel_reason = null where customer_id = $1', [id]);
    await tx.query(
      `update customer set external_id = 'erased:' || id, name = 'Erased customer', traits = '{}', owner_id = null,
         churned_at = coalesce(churned_at, $2), churn_reason = 'erased', status = 'CHURNED', erased_at = $2, updated_at = $2
       where id = $1`,
      [id, now],
    );
    // Ids of customers merged into this one keep leading here; their external ids are gone.
    await tx.query('delete from customer_alias where customer_id = $1 and former_id is null', [id]);
    await tx.query(`update customer_alias set external_id = 'erased:' || former_id where customer_id = $1`, [id]);
    await blankEvents(tx, traces.customerIds);
    await countCustomers(tx, -1);
    await identitiesChanged(tx);
    await enqueue(tx, 'customers.eraseHistory', { ...traces });
    const runAt = new Date(ground.systemClock.now().getTime() + SECOND_SWEEP_AFTER_MS);
    await enqueue(tx, 'customers.eraseHistory', { ...traces }, { runAt });
    await audit(tx, call, ground.systemClock, { action: 'customers.erase', subject: id, detail: {} });
    const payload = { customerId: id };
    await appendEvents(tx, call, ground.clock, [newEvent(customerErased, { customerId: id, payload })]);
    return { customerId: id, erased: true };
  });
}

async function tracesOf(tx: Tx, id: string, externalId: string): Promise<Traces> {
  const former = await tx.query<{ externalId: string; formerId: string | null }>(
    'select external_id as "externalId", former_id as "formerId" from customer_alias where customer_id = $1',
    [id],
  );
  const people = await tx.query<{ email: string; externalId: string; name: string | null }>(
    'select email, external_id as "externalId", name from contact where customer_id = $1',
    [id],
  );
  const names = [
    externalId,
    ...former.map((row) => row.externalId),
    ...people.flatMap((row) => [row.email, row.externalId]),
  ];
  return {
    customerIds: [id, ...former.flatMap((row) => (row.formerId === null ? [] : [row.formerId]))],
    names: [...new Set(names)],
  };
}
