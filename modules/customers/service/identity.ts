import { audit } from '../../../src/core/audit.ts';
import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { InvalidInput } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import { type MergeSide, mergeSides } from '../domain/merge.ts';
import { CustomerErased, CustomerNotFound, ExternalIdTaken } from '../errors.ts';
import { customerMerged, customerRenamed } from '../events.ts';
import { customerInput, readItem } from '../inputs.ts';
import { identitiesChanged } from './known-customers.ts';
import { countCustomers, survivors } from './references.ts';
import type { Ground } from './upsert.ts';

interface LockedCustomer extends MergeSide {
  readonly id: string;
  readonly externalId: string;
  readonly erasedAt: Date | null;
}

/** Locks customers in the order of their ids, so that two changes of the same pair wait for each other. */
async function lock(tx: Tx, ids: readonly string[]): Promise<Map<string, LockedCustomer>> {
  const rows = await tx.query<LockedCustomer>(
    `select id, external_id as "externalId", business_segment as "businessSegment", owner_id as "ownerId", status,
       signup_at as "signupAt", churned_at as "churnedAt", churn_reason as "churnReason", traits,
       last_activity_at as "lastActivityAt", first_order_at as "firstOrderAt", erased_at as "erasedAt"
     from customer where id = any($1::uuid[]) order by id for update`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Locks one customer that has its data. @param path of the input field that names it */
export async function lockLiving(tx: Tx, id: string, path: readonly string[]): Promise<LockedCustomer> {
  const survivor = (await survivors(tx, [id])).get(id) ?? id;
  const customer = (await lock(tx, [survivor])).get(survivor);
  if (customer === undefined) throw new CustomerNotFound({ id }, path);
  if (customer.erasedAt !== null) throw new CustomerErased(id, path);
  return customer;
}

/** Names used before lead to whoever lives on; everything kept for the one belongs to the other. */
export async function mergeCustomers(
  ground: Ground,
  call: Call,
  input: { readonly fromId: string; readonly intoId: string },
): Promise<{ customerId: string; merged: boolean }> {
  return ground.database.transaction(async (tx) => {
    const led = await survivors(tx, [input.fromId, input.intoId]);
    const intoId = led.get(input.intoId) ?? input.intoId;
    const fromId = led.get(input.fromId) ?? input.fromId;
    if (fromId === intoId) {
      if (input.fromId === input.intoId) {
        throw new InvalidInput('A customer cannot be merged into itself. Name two customers.', {
          path: ['input', 'intoId'],
        });
      }
      // The same merge again, in whichever direction: nothing is left to do.
      return { customerId: intoId, merged: false };
    }
    const locked = await lock(tx, [fromId, intoId]);
    const from = locked.get(fromId);
    const into = locked.get(intoId);
    if (from === undefined) {
      // Merged by somebody else while we waited for the lock.
      if ((await survivors(tx, [fromId])).get(fromId) === intoId) return { customerId: intoId, merged: false };
      throw new CustomerNotFound({ id: input.fromId }, ['input', 'fromId']);
    }
    if (into === undefined) throw new CustomerNotFound({ id: input.intoId }, ['input', 'intoId']);
    if (from.erasedAt !== null) throw new CustomerErased(input.fromId, ['input', 'fromId']);
    if (into.erasedAt !== null) throw new CustomerErased(input.intoId, ['input', 'intoId']);
    const now = ground.clock.now();
    await moveRecords(tx, from, into);
    await writeSurvivor(tx, into.id, mergeSides(from, into), now);
    await tx.query('update customer_alias set customer_id = $2 where customer_id = $1', [from.id, into.id]);
    await tx.query(
      `insert into customer_alias (external_id, customer_id, former_id, reason, created_at) values ($1, $2, $3, 'MERGED', $4)
       on conflict (external_id) do update set customer_id = excluded.customer_id, former_id = excluded.former_id`,
      [from.externalId, into.id, from.id, now],
    );
    await tx.query('delete from customer where id = $1', [from.id]);
    await countCustomers(tx, -1);
    await identitiesChanged(tx);
    await enqueue(tx, 'customers.aliasHistory', { survivorId: into.id });
    await audit(tx, call, ground.systemClock, {
      action: 'customers.merge',
      subject: into.id,
      detail: { fromId: from.id, intoId: into.id },
    });
    const payload = { fromId: from.id, intoId: into.id };
    await appendEvents(tx, call, ground.clock, [newEvent(customerMerged, { customerId: into.id, payload })]);
    return { customerId: into.id, merged: true };
  });
}

async function moveRecords(tx: Tx, from: LockedCustomer, into: LockedCustomer): Promise<void> {
  // A person known to both stays as the survivor knows them.
  await tx.query(
    `delete from contact c where c.customer_id = $1
     and exists (select from contact o where o.customer_id = $2 and o.external_id = c.external_id)`,
    [from.id, into.id],
  );
  for (const table of ['contact', 'subscription', 'subscription_change', 'invoice', 'ticket', 'customer_order']) {
    await tx.query(`update ${table} set customer_id = $2 where customer_id = $1`, [from.id, into.id]);
  }
}

async function writeSurvivor(tx: Tx, id: string, side: MergeSide, now: Date): Promise<void> {
  await tx.query(
    `update customer set status = $2, churned_at = $3, churn_reason = $4, business_segment = $5, owner_id = $6, signup_at = $7,
       traits = $8::jsonb, last_activity_at = $9, first_order_at = $10, updated_at = $11 where id = $1`,
    [
      id,
      side.status,
      side.churnedAt,
      side.churnReason,
      side.businessSegment,
      side.ownerId,
      side.signupAt,
      JSON.stringify(side.traits),
      side.lastActivityAt,
      side.firstOrderAt,
      now,
    ],
  );
}

/** Gives a customer another external id; the one it had keeps leading to it. */
export async function renameCustomer(
  ground: Ground,
  call: Call,
  input: { readonly id: string; readonly externalId: string },
): Promise<{ customerId: string; renamed: boolean }> {
  const path = ['input', 'externalId'];
  const read = readItem(customerInput.pick({ externalId: true }), { externalId: input.externalId }, ['input']);
  if (read instanceof InvalidInput) throw read;
  const { externalId } = read;
  return ground.database
    .transaction(async (tx) => {
      const customer = await lockLiving(tx, input.id, ['input', 'id']);
      if (customer.externalId === externalId) return { customerId: customer.id, renamed: false };
      const [taken] = await tx.query<{ id: string }>(
        `select id from customer where external_id = $1
         union all select customer_id from customer_alias where external_id = $1 and customer_id <> $2`,
        [externalId, customer.id],
      );
      if (taken !== undefined) throw new ExternalIdTaken(externalId, path);
      const now = ground.clock.now();
      // A name it had before is its name again.
      await tx.query('delete from customer_alias where external_id = $1 and former_id is null', [externalId]);
      await tx.query(
        `insert into customer_alias (external_id, customer_id, reason, created_at) values ($1, $2, 'RENAMED', $3)
         on conflict (external_id) do update set customer_id = excluded.customer_id`,
        [customer.externalId, customer.id, now],
      );
      await tx.query('update customer set external_id = $2, updated_at = $3 where id = $1', [
        customer.id,
        externalId,
        now,
      ]);
      await identitiesChanged(tx);
      const subject = customer.id;
      await audit(tx, call, ground.systemClock, { action: 'customers.rename', subject, detail: {} });
      const payload = { customerId: subject };
      await appendEvents(tx, call, ground.clock, [newEvent(customerRenamed, { customerId: subject, payload })]);
      return { customerId: subject, renamed: true };
    })
    .catch((error) => {
      // Somebody else took the name between our look and our write.
      if ((error as { code?: unknown }).code === UNIQUE_VIOLATION) throw new ExternalIdTaken(externalId, path);
      throw error;
    });
}

const UNIQUE_VIOLATION = '23505';
