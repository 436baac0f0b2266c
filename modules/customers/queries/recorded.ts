import type { RecordedBatch, RecordedEvent } from '../contract.ts';
import type { ActivitySources } from './activity.ts';

interface Row {
  readonly uid: string;
  readonly batchId: string;
  readonly customerId: string;
  readonly name: string;
  readonly at: Date | string;
  readonly value: string | null;
  readonly currency: string | null;
  readonly properties: string | Record<string, unknown>;
}

/**
 * The events of batches. Most still wait in the inbox when somebody asks (index scans by customer); the history engine
 * is asked only when some do not. The inbox is read first, so that an event on its way is seen in one place at least.
 */
export async function recordedEvents(
  { database, analytics }: ActivitySources,
  batches: readonly RecordedBatch[],
  names: readonly string[] | null,
): Promise<RecordedEvent[]> {
  const wanted = batches.filter(({ byName }) => expectedOf(byName, names) > 0);
  if (wanted.length === 0) return [];
  const batchIds = wanted.map((batch) => batch.batchId);
  const customerIds = [...new Set(wanted.flatMap((batch) => batch.customerIds))];
  const waiting = await database.query<Row>(
    `select event_uid as uid, batch_id as "batchId", customer_id as "customerId", name, at, value, currency, properties
     from event_inbox
     where customer_id = any($1::uuid[]) and batch_id = any($2::uuid[]) and ($3::text[] is null or name = any($3))`,
    [customerIds, batchIds, names],
    { name: 'recorded_waiting' },
  );
  const found = new Map(waiting.map((row) => [row.uid, row]));
  const expected = wanted.reduce((sum, { byName }) => sum + expectedOf(byName, names), 0);
  if (found.size < expected) {
    const settled = await analytics.query<Row>(
      `select toString(event_uid) as uid, import_id as "batchId", customer_id as "customerId", name, at, value, currency,
              properties
       from events final
       where customer_id in {customerIds:Array(UUID)} and import_id in {batchIds:Array(UUID)}
         ${names === null ? '' : 'and name in {names:Array(String)}'}`,
      { customerIds, batchIds, ...(names === null ? {} : { names }) },
    );
    for (const row of settled) found.set(row.uid, row);
  }
  return [...found.values()].map((row) => ({
    ...row,
    at: new Date(row.at),
    currency: row.currency === '' ? null : row.currency,
    properties: typeof row.properties === 'string' ? JSON.parse(row.properties) : row.properties,
  }));
}

/** Events that name an order are counted here and stand under their order instead: then the engine is asked in vain. */
function expectedOf(byName: Readonly<Record<string, number>>, names: readonly string[] | null): number {
  if (names === null) return Object.values(byName).reduce((sum, count) => sum + count, 0);
  return names.reduce((sum, name) => sum + (byName[name] ?? 0), 0);
}
