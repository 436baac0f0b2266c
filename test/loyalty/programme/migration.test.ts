import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createEmptyDatabase } from '../../support/database.ts';

const FOLDER = new URL('../../../prisma/migrations/', import.meta.url);
const PROGRAMME = '20261127081000_loyalty_programme';

test('the history of the tiers begins with the ledger, by the thresholds in force', async () => {
  const created = await createEmptyDatabase();
  const client = new pg.Client({ connectionString: created.url });
  await client.connect();
  try {
    const apply = (name: string) => client.query(readFileSync(new URL(`${name}/migration.sql`, FOLDER), 'utf8'));
    const before = readdirSync(FOLDER).filter((name) => /^\d/.test(name) && name < PROGRAMME);
    for (const name of before.sort()) await apply(name);
    // Silver from 800; the second account was put where it is by thresholds of former days.
    await client.query(`
      insert into setting_version (key, version, value, actor, changed_at) values ('loyalty.tiers', 1,
        '[{"key": "BRONZE", "from": 0}, {"key": "SILVER", "from": 800}, {"key": "GOLD", "from": 2500}, {"key": "PLATINUM", "from": 5000}]',
        'test', now());
      insert into loyalty_account (id, customer_id, joined_at, tier, tier_since, balance, earned, entry_count) values
        ('00000000-0000-7000-8000-00000000000a', gen_random_uuid(), '2026-01-01Z', 'SILVER', '2026-01-04Z', 1000, 1000, 4),
        ('00000000-0000-7000-8000-00000000000b', gen_random_uuid(), '2026-01-01Z', 'GOLD', '2026-02-01Z', 100, 100, 1);
      insert into loyalty_entry (id, account_id, number, kind, points, qualifying, balance_after, source, actor, effective_at, recorded_at)
      select gen_random_uuid(), ('00000000-0000-7000-8000-00000000000' || account)::uuid, number,
             case when points < 0 then 'REVERSE' else 'EARN' end, points, points, 10000, 'AWARD', 'test', day::timestamptz, day::timestamptz
      from (values ('a', 1, 900, '2026-01-01Z'), ('a', 2, 1700, '2026-01-02Z'), ('a', 3, -1700, '2026-01-03Z'),
                   ('a', 4, 100, '2026-01-04Z'), ('b', 1, 100, '2026-01-01Z')) t(account, number, points, day)`);
    await apply(PROGRAMME);
    const { rows } = await client.query(
      `select right(account_id::text, 1) as account, from_tier || ' ' || to_tier as move, changed_at as at, cause,
              entry_id is not null as by_entry
       from loyalty_tier_change order by account_id, changed_at`,
    );
    const move = (account: string, text: string, day: string, byEntry = true) => ({
      account,
      move: text,
      at: new Date(`${day}T00:00:00Z`),
      cause: 'ENTRY',
      by_entry: byEntry,
    });
    expect(rows).toEqual([
      move('a', 'BRONZE SILVER', '2026-01-01'),
      move('a', 'SILVER GOLD', '2026-01-02'),
      move('a', 'GOLD SILVER', '2026-01-03'),
      move('b', 'BRONZE GOLD', '2026-02-01', false),
    ]);
  } finally {
    await client.end();
    await created.drop();
  }
});
