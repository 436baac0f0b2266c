import type { Analytics } from '../../../src/core/analytics/types.ts';
import type { Queryable } from '../../../src/core/database/index.ts';

/** Changes of what the history engine keeps; each may be done again. */

/** All that lead to a customer, one step each: what a reader of history joins with. */
export async function writeAliases(analytics: Analytics, database: Queryable, survivorId: string): Promise<void> {
  const rows = await database.query<{ customer_id: string; survivor_id: string; merged_at: Date }>(
    `select former_id as customer_id, customer_id as survivor_id, created_at as merged_at
     from customer_alias where customer_id = $1 and former_id is not null`,
    [survivorId],
  );
  // The later merge wins by its time, so all rows of one writing carry the latest.
  const merged_at = new Date(Math.max(...rows.map((row) => row.merged_at.getTime())));
  await analytics.insert(
    'customer_alias',
    rows.map((row) => ({ ...row, merged_at })),
  );
}

/** Waits until all replicas have changed their rows. */
const WAIT = { settings: { mutations_sync: 2 } };

/** Takes what callers wrote about customers out of the history. That it happened, when, and for how much, stays. */
export async function blankHistory(
  analytics: Analytics,
  customerIds: readonly string[],
  names: readonly string[],
): Promise<void> {
  const { cluster } = analytics.layout;
  const on = cluster === undefined ? '' : `on cluster \`${cluster}\``;
  await analytics.command(
    `alter table events ${on} update properties = '{}', source_id = toString(event_uid) where customer_id in {ids:Array(UUID)}`,
    { ids: customerIds },
    WAIT,
  );
  const addresses = names.filter((name) => name.includes('@'));
  const holdsAddress =
    addresses.length === 0 ? '' : 'or multiSearchAnyCaseInsensitive(value, {addresses:Array(String)})';
  await analytics.command(
    `alter table import_reject ${on} update value = '(erased)' where value in {names:Array(String)} ${holdsAddress}`,
    { names, ...(addresses.length === 0 ? {} : { addresses: addresses.slice(0, 255) }) },
    WAIT,
  );
}
