import { DateTime } from 'luxon';
import { InvalidInput } from '../../src/core/errors.ts';
import type { Population } from '../../src/core/graph/index.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import { AGES_MAX, type CohortMatrix, cohortMatrix } from './domain/cohorts.ts';
import { type CohortGrain, firstDayOf, periodOf } from './domain/periods.ts';
import {
  activityCohorts,
  type CohortRead,
  type CohortScope,
  type CohortStart,
  mrrCohorts,
  orderCohorts,
  survivalCohorts,
} from './queries/cohorts.ts';
import type { Days } from './service-periods.ts';

export type CohortMeasure = 'ACTIVITY' | 'SURVIVAL' | 'REVENUE' | 'MRR';

export interface CohortRequest {
  readonly by: CohortGrain;
  readonly measure: CohortMeasure;
  readonly start: CohortStart;
  /** Days in which the cohorts begin; null: the latest ones. */
  readonly period: Days | null;
  readonly population: Population;
}

/** Cohorts as `Query.cohorts` shows them. */
export interface CohortReport extends Pick<CohortRequest, 'by' | 'measure' | 'start'> {
  readonly currency: string;
  readonly matrix: CohortMatrix;
  /** Orders without a rate: not in the revenue. */
  readonly unconvertedOrders: number;
  firstDay(cohort: number): string;
}

export interface CohortService {
  /** @throws InvalidInput when the period is empty or has too many cohorts */
  cohorts(request: CohortRequest): Promise<CohortReport>;
}

/** As many as a heat map can show; a longer history is asked for by period. */
const LATEST_COHORTS = 36;
const MAX_COHORTS = AGES_MAX;

export function createCohortService(infra: Infrastructure): CohortService {
  const { database, analytics, settings, clock } = infra;

  const readCohorts = (measure: CohortMeasure, scope: CohortScope, currency: string): Promise<CohortRead> => {
    if (measure === 'SURVIVAL') return survivalCohorts(database, scope);
    if (measure === 'MRR') return mrrCohorts(database, scope, currency);
    // What a shop's customers do is to order; what the customers of a service do is anything they do.
    const byOrders = measure === 'REVENUE' || scope.start === 'FIRST_ORDER';
    return byOrders ? orderCohorts(database, scope, currency) : activityCohorts({ database, analytics }, scope);
  };

  return {
    async cohorts({ by, measure, start, period, population }) {
      const { timeZone, reportingCurrency } = await settings.get(BUSINESS);
      const now = clock.now();
      const numberOf = (at: DateTime) => periodOf(by, { year: at.year, month: at.month, day: at.day });
      const today = numberOf(DateTime.fromJSDate(now, { zone: timeZone }));
      const range = period === null ? { from: today - LATEST_COHORTS + 1, to: today } : rangeOf(period, numberOf);
      const to = Math.min(range.to, today);
      if (to - range.from >= MAX_COHORTS) {
        throw new InvalidInput(`The period has ${to - range.from + 1} cohorts; ask for at most ${MAX_COHORTS}.`, {
          path: ['period'],
        });
      }
      const scope = { grain: by, start, from: range.from, to, now, population, timeZone };
      const { sizes, sums, unconverted } = await readCohorts(measure, scope, reportingCurrency);
      // Without a period the matrix begins with the first cohort there is.
      const from = period === null ? Math.min(...sizes.keys(), to + 1) : range.from;
      const rule = measure === 'SURVIVAL' ? 'REMAINING' : measure === 'MRR' ? 'CUMULATIVE' : 'OF_PERIOD';
      const shareOf = measure === 'REVENUE' || measure === 'MRR' ? 'AMOUNT' : 'CUSTOMERS';
      return {
        by,
        measure,
        start,
        currency: reportingCurrency,
        matrix: cohortMatrix({ from, to, now: today }, { sizes, sums }, rule, shareOf),
        unconvertedOrders: unconverted,
        firstDay: (cohort) => firstDayOf(by, cohort),
      };
    },
  };
}

function rangeOf(days: Days, numberOf: (at: DateTime) => number): { from: number; to: number } {
  const from = DateTime.fromISO(days.from, { zone: 'UTC' });
  const last = DateTime.fromISO(days.to, { zone: 'UTC' }).minus({ days: 1 });
  if (!from.isValid || !last.isValid || last < from) {
    throw new InvalidInput(`The period from ${days.from} to ${days.to} is empty; "to" is the day after its last day.`, {
      path: ['period', 'to'],
    });
  }
  return { from: numberOf(from), to: numberOf(last) };
}
