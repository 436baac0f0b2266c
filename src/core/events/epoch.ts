import type { Database, Queryable } from '../database/index.ts';

/** Any fixed number: serialises raising the epoch among starting processes. */
const EPOCH_LOCK = 4_016_180_338;

async function raise(tx: Queryable, above = 0): Promise<number> {
  const rows = await tx.query<{ epoch: number }>('select outbox_epoch() as epoch');
  const next = Math.max(rows[0]?.epoch ?? 0, above) + 1;
  await tx.query(
    `create or replace function outbox_epoch() returns integer language sql stable parallel safe return ${next}`,
  );
  return next;
}

/**
 * Begins a new epoch: for a restore, whose target cluster counts transactions from another number. Events written from
 * now on stand after all earlier ones, and cursors given out before stay valid.
 * @param above an epoch that must lie behind, too: that of the cluster the rows came from
 * @returns the new epoch
 */
export const raiseEpoch = (database: Pick<Database, 'transaction'>, above = 0): Promise<number> =>
  database.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [EPOCH_LOCK]);
    return raise(tx, above);
  });

/**
 * Finds out at start whether the database was copied from another cluster without `raiseEpoch`: then events carry
 * transaction ids that this cluster has not given out yet, and new ones would sort before them.
 * @returns the new epoch, or null when all is well
 */
export const healEpoch = (database: Pick<Database, 'transaction'>): Promise<number | null> =>
  database.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [EPOCH_LOCK]);
    // The same holds for how far handlers have read: a cursor from the future would make them skip events.
    const rows = await tx.query<{ foreign: boolean }>(
      `select exists (select from outbox_event
                      where epoch = outbox_epoch() and xid >= pg_snapshot_xmax(pg_current_snapshot()))
           or exists (select from dispatch_cursor
                      where epoch = outbox_epoch() and xid > pg_snapshot_xmax(pg_current_snapshot())) as foreign`,
    );
    return rows[0]?.foreign === true ? raise(tx) : null;
  });
