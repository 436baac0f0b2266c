import pg from 'pg';

/** Ids count up, so that a random number makes a random cursor. */
export const customerId = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

const id = (prefix: string, n: string): string => `('${prefix}-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;

/** Plants a business of `customers` customers: each assessed, in the programme with six entries, every third with a ticket. */
export async function seed(url: string, customers: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const everybody = `generate_series(0, ${customers - 1}) n`;
  try {
    await client.query('set synchronous_commit = off');
    await client.query(`insert into customer (id, external_id, name, business_segment, status, signup_at, created_at, updated_at)
      select ${id('00000000', 'n')}, 'c-' || n, 'Customer ' || n, 'segment ' || n % 5, 'ACTIVE', now(), now(), now() from ${everybody}`);
    await client.query('update customer_counter set customers = case shard when 0 then $1::bigint else 0 end', [
      customers,
    ]);
    await client.query(
      `insert into customer_assessment (customer_id, at, health_score, health_tier, health_coverage, health_parts,
         risk_score, risk_category, risk_since, risk_coverage, risk_indicators)
       select ${id('00000000', 'n')}, now(), n % 101, 'HEALTHY', 0.8, $1::jsonb, 100 - n % 101, 'SECURE', now(), 0.8, '[]'
       from ${everybody}`,
      [
        JSON.stringify(
          ['USAGE_FREQUENCY', 'FEATURE_ADOPTION', 'SUPPORT_SATISFACTION', 'PAYMENT_HISTORY'].map((name) => ({
            name,
            value: 71.5,
            weight: 0.25,
            evidence: '12 active days of the last 30',
          })),
        ),
      ],
    );
    await client.query(`insert into loyalty_account (id, customer_id, joined_at, tier, tier_since, balance, earned, entry_count)
      select ${id('00000001', 'n')}, ${id('00000000', 'n')}, now(), 'BRONZE', now(), 60, 60, 6 from ${everybody}`);
    await client.query(`insert into loyalty_entry (id, account_id, number, kind, points, qualifying, balance_after, source, reason,
        actor, effective_at, recorded_at)
      select ${id('00000002', 'n * 6 + e')}, ${id('00000001', 'n')}, e, 'EARN', 10, 10, e * 10, 'ORDER', 'order ' || e,
        'bench', now(), now()
      from ${everybody}, generate_series(1, 6) e`);
    await client.query(`insert into ticket (id, external_id, customer_id, priority, opened_at, created_at, updated_at)
      select ${id('00000003', 'n')}, 't-' || n, ${id('00000000', 'n')}, 'HIGH', now(), now(), now() from ${everybody} where n % 3 = 0`);
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}
