import type { Queryable, Tx } from '../../src/core/database/index.ts';
import type { HealthDistribution } from './contract.ts';
import type { HealthPart, HealthPartName, HealthTier } from './domain/health.ts';
import type { RiskCategory, RiskIndicator } from './domain/retention-risk.ts';

/** A row of the assessments; `id` is its place in the history. */
export interface Assessment {
  readonly id: string;
  readonly customerId: string;
  readonly at: Date;
  readonly healthScore: number | null;
  readonly healthTier: HealthTier | null;
  readonly healthCoverage: number;
  readonly healthParts: readonly HealthPart[];
  readonly healthChange: HealthChange | null;
  readonly riskScore: number | null;
  readonly riskCategory: RiskCategory | null;
  readonly riskSince: Date | null;
  readonly riskCoverage: number;
  readonly riskIndicators: readonly RiskIndicator[];
  readonly causeEventId: string | null;
}

/** How a score differs from the one before. */
export interface HealthChange {
  readonly delta: number;
  readonly parts: readonly {
    readonly name: HealthPartName;
    readonly from: number | null;
    readonly to: number | null;
  }[];
}

/** Locks what is known of the customers, in the order of their ids, so that two writers cannot wait for each other. */
export async function lockAssessments(tx: Tx, ids: readonly string[]): Promise<Map<string, Assessment>> {
  const rows = await tx.query<Omit<Assessment, 'id'>>(
    `select customer_id as "customerId", at, health_score as "healthScore", health_tier as "healthTier",
            health_coverage as "healthCoverage", health_parts as "healthParts", health_change as "healthChange",
            risk_score as "riskScore", risk_category as "riskCategory", risk_since as "riskSince",
            risk_coverage as "riskCoverage", risk_indicators as "riskIndicators", cause_event_id as "causeEventId"
     from customer_assessment where customer_id = any($1::uuid[]) order by customer_id for update`,
    [ids],
  );
  return new Map(rows.map((row) => [row.customerId, { id: '', ...row }]));
}

const COLUMNS = `customer_id, at, health_score, health_tier, health_coverage, health_parts, health_change, risk_score,
  risk_category, risk_since, risk_coverage, risk_indicators, cause_event_id`;

/** Writes assessments and their history: one statement whatever their number. A later one by somebody else stays. */
export async function writeAssessments(tx: Tx, assessments: readonly Assessment[]): Promise<void> {
  if (assessments.length === 0) return;
  const column = <T>(of: (assessment: Assessment) => T): T[] => assessments.map(of);
  // JSON has no line breaks of its own, and as lines nothing in it needs to be escaped as in an array.
  const lines = (of: (assessment: Assessment) => unknown): string => column((a) => JSON.stringify(of(a))).join('\n');
  await tx.query(
    `with given as (
       select customer_id, at, health_score, health_tier, health_coverage, health_parts::jsonb as health_parts,
         nullif(health_change, 'null')::jsonb as health_change, risk_score, risk_category, risk_since, risk_coverage,
         risk_indicators::jsonb as risk_indicators, cause_event_id, id
       from unnest($1::uuid[], $2::timestamptz[], $3::float8[], $4::text[], $5::float8[], string_to_array($6, E'\\n'),
                   string_to_array($7, E'\\n'), $8::float8[], $9::text[], $10::timestamptz[], $11::float8[],
                   string_to_array($12, E'\\n'), $13::uuid[], $14::uuid[])
         as t(${COLUMNS}, id)
     ), kept as (
       insert into customer_assessment as a (${COLUMNS})
       select ${COLUMNS} from given
       on conflict (customer_id) do update set
         at = excluded.at, health_score = excluded.health_score, health_tier = excluded.health_tier,
         health_coverage = excluded.health_coverage, health_parts = excluded.health_parts, health_change = excluded.health_change,
         risk_score = excluded.risk_score, risk_category = excluded.risk_category, risk_since = excluded.risk_since,
         risk_coverage = excluded.risk_coverage, risk_indicators = excluded.risk_indicators, cause_event_id = excluded.cause_event_id
       where a.at <= excluded.at
       returning customer_id
     )
     insert into customer_assessment_history (${COLUMNS}, id)
     select ${COLUMNS}, id from given where customer_id in (select customer_id from kept)`,
    [
      column((a) => a.customerId),
      column((a) => a.at),
      column((a) => a.healthScore),
      column((a) => a.healthTier),
      column((a) => a.healthCoverage),
      lines((a) => a.healthParts),
      lines((a) => a.healthChange),
      column((a) => a.riskScore),
      column((a) => a.riskCategory),
      column((a) => a.riskSince),
      column((a) => a.riskCoverage),
      lines((a) => a.riskIndicators),
      column((a) => a.causeEventId),
      column((a) => a.id),
    ],
  );
}

/** What is thought of a customer who was erased or merged away goes with the customer. */
export async function forgetAssessments(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query('delete from customer_assessment where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from customer_assessment_history where customer_id = any($1::uuid[])', [customerIds]);
}

/** Customers by tier, category and tenth of the score; one scan of the assessments' index. */
export async function readDistribution(database: Queryable): Promise<HealthDistribution> {
  const rows = await database.query<{
    tier: HealthTier | null;
    category: RiskCategory | null;
    tenth: number | null;
    customers: number;
    scores: number;
  }>(
    `select health_tier as tier, risk_category as category, least(floor(health_score / 10)::int, 9) as tenth,
            count(*)::int as customers, coalesce(sum(health_score), 0) as scores
     from customer_assessment group by 1, 2, 3`,
  );
  const tiers = { HEALTHY: 0, NEUTRAL: 0, POOR: 0, UNKNOWN: 0 };
  const categories = { SECURE: 0, MONITOR: 0, AT_RISK: 0, CRITICAL: 0, UNKNOWN: 0 };
  const histogram = Array.from({ length: 10 }, () => 0);
  let known = 0;
  let scores = 0;
  for (const row of rows) {
    tiers[row.tier ?? 'UNKNOWN'] += row.customers;
    categories[row.category ?? 'UNKNOWN'] += row.customers;
    if (row.tenth === null) continue;
    histogram[row.tenth] = (histogram[row.tenth] ?? 0) + row.customers;
    known += row.customers;
    scores += row.scores;
  }
  return { tiers, categories, histogram, meanScore: known === 0 ? null : Math.round((scores / known) * 100) / 100 };
}
