import type { Tx } from '../../../src/core/database/index.ts';

/** Entries beyond which everything is forgotten: some 20 MB. */
const MAX_KNOWN = 200_000;

/**
 * Ids of external ids, kept in memory so that a stream of events need not look each customer up again. Whoever makes an
 * external id lead elsewhere (merge, rename, erasure) raises the version in `customer_identity`; it is read in every
 * transaction that uses what is kept, so no event goes to a customer that had been merged away when it began.
 */
export function createKnownCustomers() {
  const known = new Map<string, string>();
  let version = -1;

  return {
    /** Ids of the external ids that are known to the database, by one statement. Only committed rows are kept. */
    async resolve(tx: Tx, externalIds: ReadonlySet<string>): Promise<Map<string, string>> {
      for (;;) {
        const asked = [...externalIds].filter((externalId) => !known.has(externalId));
        const [row] = await tx.query<{ version: number; found: [string, string | null][] | null }>(
          `select i.version, (
             select json_agg(json_build_array(n, coalesce(c.id, (select a.customer_id from customer_alias a where a.external_id = n))))
             from unnest($1::text[]) as n left join customer c on c.external_id = n) as found
           from customer_identity i where i.id = 1`,
          [asked],
          { name: 'customer_identity' },
        );
        const now = row?.version ?? 0;
        if (now !== version) {
          known.clear();
          version = now;
          // What was taken from memory may be out of date: ask for all of it.
          if (asked.length < externalIds.size) continue;
        }
        if (known.size > MAX_KNOWN) known.clear();
        const ids = new Map<string, string>();
        for (const externalId of externalIds) {
          const id = known.get(externalId);
          if (id !== undefined) ids.set(externalId, id);
        }
        for (const [externalId, id] of row?.found ?? []) {
          if (id === null) continue;
          known.set(externalId, id);
          ids.set(externalId, id);
        }
        // Cleared meanwhile by a concurrent call: then some names are in neither.
        if ([...externalIds].every((externalId) => ids.has(externalId) || asked.includes(externalId))) return ids;
      }
    },
  };
}

/** Says that external ids lead elsewhere from this transaction's commit on. */
export async function identitiesChanged(tx: Tx): Promise<void> {
  await tx.query('update customer_identity set version = version + 1 where id = 1');
}
