import type { Queryable, Tx, Write } from '../../../src/core/database/index.ts';

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

  /** Ids of external ids, by one statement, as they stand in this transaction. */
  const ask = async (tx: Queryable, externalIds: readonly string[]) => {
    const [row] = await tx.query<{ version: number; found: [string, string | null][] | null }>(
      `select i.version, (
         select json_agg(json_build_array(n, coalesce(c.id, (select a.customer_id from customer_alias a where a.external_id = n))))
         from unnest($1::text[]) as n left join customer c on c.external_id = n) as found
       from customer_identity i where i.id = 1`,
      [externalIds],
      { name: 'customer_identity' },
    );
    return { version: row?.version ?? 0, found: row?.found ?? [] };
  };

  return {
    /** What memory says, without asking; true as long as the version is the one in the database. */
    remembered: () => ({ version, idOf: (externalId: string) => known.get(externalId) }),

    /**
     * Finds customers by external id; names may repeat. Only committed rows are kept. The answer is to be used at once:
     * another call may forget everything at any time.
     */
    async resolve(tx: Queryable, names: () => Iterable<string>): Promise<(externalId: string) => string | undefined> {
      const missing = new Set<string>();
      for (const externalId of names()) if (!known.has(externalId)) missing.add(externalId);
      let answer = await ask(tx, [...missing]);
      if (answer.version !== version) {
        // What is kept in memory is out of date, so all of it is asked for.
        known.clear();
        answer = await ask(tx, [...new Set(names())]);
        version = answer.version;
      } else if (known.size > MAX_KNOWN) {
        known.clear();
        answer = await ask(tx, [...new Set(names())]);
      }
      const found = new Map<string, string>();
      for (const [externalId, id] of answer.found) {
        if (id === null) continue;
        known.set(externalId, id);
        found.set(externalId, id);
      }
      // Forgotten by another call while we asked: what was not asked for must be asked for now.
      const lost = new Set<string>();
      for (const externalId of names()) {
        if (!known.has(externalId) && !missing.has(externalId) && !found.has(externalId)) lost.add(externalId);
      }
      if (lost.size > 0)
        for (const [externalId, id] of (await ask(tx, [...lost])).found) if (id !== null) found.set(externalId, id);
      return (externalId) => found.get(externalId) ?? known.get(externalId);
    },
  };
}

/** A check to be sent along with writes: fails (division by zero) when external ids may lead elsewhere by now. */
export const identitiesAre = (version: number): Write => ({
  name: 'identities',
  text: 'select version from customer_identity where id = 1',
  values: [version],
  select: '1 / (case when (select version from identities) = $1::bigint then 1 else 0 end)',
});

/** Says that external ids lead elsewhere from this transaction's commit on. */
export async function identitiesChanged(tx: Tx): Promise<void> {
  await tx.query('update customer_identity set version = version + 1 where id = 1');
}
