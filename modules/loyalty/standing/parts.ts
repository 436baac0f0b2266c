import { InvalidInput } from '../../../src/core/errors.ts';
import { type DimensionSql, defineCustomerPart, defineFilter, defineOrder } from '../../../src/core/graph/index.ts';
import type { JourneyStage, StayBasis } from './domain/journey.ts';
import type { LoyaltyBand, ScorePart } from './domain/score.ts';

/** A loyalty score as the graph reads it; times are texts, as JSON built in SQL has them. */
export interface ScoreShape {
  readonly score: number;
  readonly band: LoyaltyBand;
  readonly bandSince: string;
  readonly coverage: number;
  readonly parts: ScorePart[];
  readonly causedBy: string | null;
  readonly at: string;
}

interface AsOf extends Readonly<Record<string, unknown>> {
  readonly asOf?: Date | null;
}

/** The latest row, or the one that was the latest at a time: one index look-up either way. */
function standingAt(customer: string, asOf: Date | null | undefined, bind: (value: unknown) => string): string {
  if (asOf === null || asOf === undefined) return `loyalty_standing s where s.customer_id = ${customer}.id`;
  return `(select * from loyalty_standing_history h where h.customer_id = ${customer}.id and h.at <= ${bind(asOf)}::timestamptz
           order by h.at desc, h.id desc limit 1) s`;
}

export const scorePart = defineCustomerPart<ScoreShape, AsOf>({
  name: 'loyaltyScore',
  sql: (customer, { asOf }, bind) => `(
    select json_build_object('score', s.score, 'band', s.band, 'bandSince', s.band_since, 'coverage', s.coverage,
                             'parts', s.parts, 'causedBy', s.cause_event_id, 'at', s.at)
    from ${standingAt(customer, asOf, bind)})`,
});

/** A score of the past. */
export interface ScorePoint {
  readonly at: string;
  readonly score: number;
  readonly band: LoyaltyBand;
  readonly coverage: number;
}

interface HistoryArgs extends Readonly<Record<string, unknown>> {
  readonly first: number;
  readonly before?: Date | null;
}

const HISTORY_MAX = 100;

function bounded(first: number): number {
  if (Number.isInteger(first) && first >= 1 && first <= HISTORY_MAX) return first;
  throw new InvalidInput(`"first" is ${first}; it must be between 1 and ${HISTORY_MAX}.`, { path: ['first'] });
}

export const scoreHistoryPart = defineCustomerPart<ScorePoint[], HistoryArgs>({
  name: 'loyaltyScoreHistory',
  sql(customer, { first, before }, bind) {
    const until = before === null || before === undefined ? '' : `and h.at < ${bind(before)}::timestamptz`;
    return `(
      select coalesce(json_agg(p), '[]'::json) from (
        select h.at, h.score, h.band, h.coverage from loyalty_standing_history h
        where h.customer_id = ${customer}.id ${until} order by h.at desc, h.id desc limit ${bind(bounded(first))}::int) p)`;
  },
});

/** How far a customer has come, as the graph reads it. */
export interface JourneyShape {
  readonly customerId: string;
  readonly stage: JourneyStage;
  readonly since: string;
  readonly strength: number;
  readonly stayProbability: number | null;
  readonly stayBasis: StayBasis | null;
  readonly at: string;
}

/** One row by primary key. */
export const journeyPart = defineCustomerPart<JourneyShape>({
  name: 'loyaltyJourney',
  sql: (customer, _args, _bind, nested) => `(
    select json_build_object('customerId', s.customer_id, 'stage', s.stage, 'since', s.stage_since, 'strength', s.strength,
                             'stayProbability', s.stay_probability, 'stayBasis', s.stay_basis, 'at', s.at${nested})
    from loyalty_standing s where s.customer_id = ${customer}.id)`,
});

/** How a relationship stood in a month. */
export interface JourneyMonth {
  readonly month: string;
  readonly stage: JourneyStage;
  readonly score: number;
  readonly band: LoyaltyBand;
  readonly strength: number;
  readonly stayProbability: number | null;
  readonly stayBasis: StayBasis | null;
  readonly at: string;
}

/** The newest months of a customer, cut along the primary key. */
export const journeyHistoryPart = defineCustomerPart<JourneyMonth[], { readonly months: number }>({
  name: 'loyaltyJourneyHistory',
  sql: (customer, { months }, bind) => `(
    select coalesce(json_agg(p), '[]'::json) from (
      select m.month, m.stage, m.score, m.band, m.strength, m.stay_probability as "stayProbability",
             m.stay_basis as "stayBasis", m.at
      from loyalty_standing_month m where m.customer_id = ${customer}.id
      order by m.month desc limit ${bind(monthsWithin(months))}::int) p)`,
});

const MONTHS_MAX = 60;

function monthsWithin(months: number): number {
  if (Number.isInteger(months) && months >= 1 && months <= MONTHS_MAX) return months;
  throw new InvalidInput(`"months" is ${months}; it must be between 1 and ${MONTHS_MAX}.`, { path: ['months'] });
}

const whereStanding = (customer: string, condition: string): string =>
  `exists (select from loyalty_standing s where s.customer_id = ${customer}.id and ${condition})`;

export const bandFilter = defineFilter<readonly LoyaltyBand[]>((customer, bands, bind) =>
  whereStanding(customer, `s.band = any(${bind(bands)}::text[])`),
);

export const stageFilter = defineFilter<readonly JourneyStage[]>((customer, stages, bind) =>
  whereStanding(customer, `s.stage = any(${bind(stages)}::text[])`),
);

export const scoreOrder = defineOrder({
  key: () => 's.score',
  type: 'float8',
  from: { table: 'loyalty_standing s', on: (customer) => `s.customer_id = ${customer}.id` },
});

export const bandDimension: DimensionSql = (customer) =>
  `(select s.band from loyalty_standing s where s.customer_id = ${customer}.id)`;
