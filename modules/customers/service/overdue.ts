import type { Call } from '../../../src/core/call.ts';
import { newEvent } from '../../../src/core/events/index.ts';
import { invoiceOverdue } from '../events.ts';
import { Facts } from './facts.ts';
import { type InvoiceRow, invoicePayload, overdueEvent } from './invoices.ts';
import type { Ground } from './upsert.ts';

/** Invoices per transaction: write transactions hold readers of the outbox back. */
const BATCH = 500;

/** Publishes each invoice that is due and not paid, once. @returns how many */
export async function publishOverdue(ground: Ground, call: Call, signal?: AbortSignal): Promise<number> {
  let published = 0;
  for (;;) {
    signal?.throwIfAborted();
    const done = await ground.database.transaction(async (tx) => {
      const rows = await tx.query<InvoiceRow>(
        `update invoice i set overdue_at = $1, updated_at = $1
         from (select id from invoice where due_at < $1 and paid_at is null and overdue_at is null
               order by due_at limit $2 for update skip locked) due
         where i.id = due.id
         returning i.id, i.external_id as "externalId", i.customer_id as "customerId", i.amount_minor as "amountMinor",
           i.currency, i.issued_at as "issuedAt", i.due_at as "dueAt"`,
        [ground.clock.now(), BATCH],
      );
      const facts = new Facts();
      for (const row of rows) {
        const payload = invoicePayload(row);
        facts.events.push(newEvent(invoiceOverdue, { customerId: row.customerId, payload, at: row.dueAt }));
        facts.stream.push(overdueEvent(row));
      }
      await facts.write(tx, call, ground);
      return rows.length;
    });
    published += done;
    if (done < BATCH) return published;
  }
}
