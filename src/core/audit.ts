import { actorName, type Call } from './call.ts';
import type { Clock } from './clock.ts';
import type { Tx } from './database/index.ts';
import { newId } from './ids.ts';

/** What was done to what; `detail` names ids and values, no personal data. */
export interface AuditedChange {
  /** `module.verb`, e.g. `settings.change`. */
  readonly action: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Writes an audit entry in the transaction of the change itself. */
export async function audit(tx: Tx, call: Call, clock: Clock, change: AuditedChange): Promise<void> {
  await tx.query(
    `insert into audit_entry (id, at, actor, action, subject, detail, correlation_id)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7)`,
    [
      newId(),
      clock.now(),
      actorName(call.actor),
      change.action,
      change.subject,
      JSON.stringify(change.detail),
      call.correlationId,
    ],
  );
}
