import { InvalidInput } from '../../src/core/errors.ts';
import { defineCustomerPart, defineFilter, defineOrder } from '../../src/core/graph/index.ts';
import type { HealthPart, HealthTier } from './domain/health.ts';
import type { RiskCategory, RiskIndicator } from './domain/retention-risk.ts';
import type { HealthChange } from './store.ts';

/** Health as the graph reads it; times are texts, as JSON built in SQL has them. */
export interface HealthShape {
  readonly score: number;
  readonly tier: HealthTier;
  readonly coverage: number;
  readonly parts: HealthPart[];
  readonly change: HealthChange | null;
  readonly causedBy: string | null;
  readonly at: string;
}

export interface HealthPoint {
  readonly at: string;
  readonly score: number | null;
  readonly tier: HealthTier | null;
}

export interface RiskShape {
  readonly score: number;
  readonly category: RiskCategory;
  readonly since: string;
  readonly coverage: number;
  readonly indicators: RiskIndicator[];
  readonly at: string;
}

interface AsOf extends Readonly<Record<string, unknown>> {
  readonly asOf?: Date | null;
}

/** The latest row, or the one that was the latest at a time: one index look-up either way. */
function assessmentAt(customer: string, asOf: Date | null | undefined, bind: (value: unknown) => string): string {
  if (asOf === null || asOf === undefined) return `customer_assessment a where a.customer_id = ${customer}.id`;
  return `(select * from customer_assessment_history h where h.customer_id = ${customer}.id and h.at <= ${bind(asOf)}::timestamptz
           order by h.at desc, h.id desc limit 1) a where true`;
}

export const healthPart = defineCustomerPart<HealthShape, AsOf>({
  name: 'health',
  sql: (customer, { asOf }, bind) => `(
    select json_build_object('score', a.health_score, 'tier', a.health_tier, 'coverage', a.health_coverage, 'parts', a.health_parts,
                             'change', a.health_change, 'causedBy', a.cause_event_id, 'at', a.at)
    from ${assessmentAt(customer, asOf, bind)} and a.health_score is not null)`,
});

export const riskPart = defineCustomerPart<RiskShape, AsOf>({
  name: 'risk',
  sql: (customer, { asOf }, bind) => `(
    select json_build_object('score', a.risk_score, 'category', a.risk_category, 'since', a.risk_since, 'coverage', a.risk_coverage,
                             'indicators', a.risk_indicators, 'at', a.at)
    from ${assessmentAt(customer, asOf, bind)} and a.risk_score is not null)`,
});

interface HistoryArgs extends Readonly<Record<string, unknown>> {
  readonly first: number;
  readonly before?: Date | null;
}

const HISTORY_MAX = 100;

export const healthHistoryPart = defineCustomerPart<HealthPoint[], HistoryArgs>({
  name: 'healthHistory',
  sql(customer, { first, before }, bind) {
    if (!Number.isInteger(first) || first < 1 || first > HISTORY_MAX) {
      throw new InvalidInput(`"first" is ${first}; it must be between 1 and ${HISTORY_MAX}.`, { path: ['first'] });
    }
    const until = before === null || before === undefined ? '' : `and h.at < ${bind(before)}::timestamptz`;
    return `(
      select coalesce(json_agg(p), '[]'::json) from (
        select h.at, h.health_score as score, h.health_tier as tier from customer_assessment_history h
        where h.customer_id = ${customer}.id ${until} order by h.at desc, h.id desc limit ${bind(first)}::int) p)`;
  },
});

const whereAssessed = (customer: string, condition: string): string =>
  `exists (select from customer_assessment a where a.customer_id = ${customer}.id and ${condition})`;

export const riskCategoryFilter = defineFilter<readonly RiskCategory[]>((customer, categories, bind) =>
  whereAssessed(customer, `a.risk_category = any(${bind(categories)}::text[])`),
);

export const healthTierFilter = defineFilter<readonly HealthTier[]>((customer, tiers, bind) =>
  whereAssessed(customer, `a.health_tier = any(${bind(tiers)}::text[])`),
);

export const healthRangeFilter = defineFilter<{ readonly min: number; readonly max: number }>(
  (customer, { min, max }, bind) =>
    whereAssessed(customer, `a.health_score between ${bind(min)}::float8 and ${bind(max)}::float8`),
);

export const healthOrder = defineOrder({
  key: () => 'a.health_score',
  type: 'float8',
  from: {
    table: 'customer_assessment a',
    on: (customer) => `a.customer_id = ${customer}.id and a.health_score is not null`,
  },
});

export const riskOrder = defineOrder({
  key: () => 'a.risk_score',
  type: 'float8',
  from: {
    table: 'customer_assessment a',
    on: (customer) => `a.customer_id = ${customer}.id and a.risk_score is not null`,
  },
});
