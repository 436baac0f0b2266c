import { readFileSync } from 'node:fs';
import type { TestApp } from '../support/app.ts';

/** A reference matrix: cohort by first day → value by age; null where the file has none. */
export function referenceMatrix(name: 'counts' | 'retention' | 'revenue'): Map<string, (number | null)[]> {
  const file = readFileSync(new URL(`../data/online_retail_cohorts_${name}.csv`, import.meta.url), 'utf8');
  return new Map(
    file
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => {
        const [cohort, ...cells] = line.split(',');
        return [`${cohort}-01`, cells.map((cell) => (cell === '' ? null : Number(cell)))] as const;
      }),
  );
}

export interface ShownMatrix {
  readonly unconvertedOrders: number;
  readonly rows: readonly {
    readonly cohort: string;
    readonly size: number;
    readonly cells: readonly ({
      readonly complete: boolean;
      readonly customers: number;
      readonly share: number | null;
      readonly amount: { readonly amountMinor: number } | null;
    } | null)[];
  }[];
  readonly mean: readonly { readonly cohorts: number; readonly customers: number; readonly share: number | null }[];
}

const COHORTS = /* GraphQL */ `
  query Cohorts(
    $by: CohortGrain! = MONTH, $measure: CohortMeasure! = ACTIVITY, $start: CohortStart! = FIRST_ORDER
    $period: PeriodInput, $filter: CustomerFilter
  ) {
    cohorts(by: $by, measure: $measure, start: $start, period: $period, filter: $filter) {
      unconvertedOrders
      rows { cohort size cells { complete customers share amount { amountMinor } } }
      mean { cohorts customers share }
    }
  }
`;

/** Asks for a cohort matrix as a partner would. */
export const askCohorts = async (app: TestApp, variables: Readonly<Record<string, unknown>> = {}) =>
  (
    await app.query<{ cohorts: ShownMatrix }>(COHORTS, {
      by: 'MONTH',
      measure: 'ACTIVITY',
      start: 'FIRST_ORDER',
      ...variables,
    })
  ).cohorts;

export type ShownCell = ShownMatrix['rows'][number]['cells'][number];

/** A matrix in the shape of the references. */
export const valuesOf = (
  matrix: ShownMatrix,
  value: (cell: NonNullable<ShownCell>) => number | null,
): Map<string, (number | null)[]> =>
  new Map(matrix.rows.map(({ cohort, cells }) => [cohort, cells.map((cell) => (cell === null ? null : value(cell)))]));
