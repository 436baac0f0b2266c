import { newId } from '../../src/core/ids.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { parseMoney } from '../../src/core/money.ts';
import type { BatchWriter } from './batches.ts';
import { type LifetimeOutcome, MONTH_DAYS } from './domain/lifetime.ts';
import { TREE_HORIZON_DAYS, type TreeValueOutcome } from './domain/tree-value.ts';
import { purchaseFacts } from './purchase-facts.ts';
import type { CustomerRow } from './queries/segments.ts';
import type { FeatureSnapshot } from './queries/snapshots.ts';
import { createTreeValuation } from './service-trees.ts';
import { LIFETIME_VALUE } from './settings.ts';
import { forgetOldModels, insertValueModel, type ValueModel, type ValueRow, writeValues } from './store.ts';
import { beside } from './worker.ts';

/** What is expected of customers, by the methods that look ahead. */
export interface Expectations {
  readonly lifetime: LifetimeOutcome;
  readonly trees: TreeValueOutcome;
}

/** What customers are worth by each method, and the models behind it. */
export function createWorth(infra: Infrastructure, inBatches: BatchWriter) {
  const { database, settings } = infra;
  const valuation = createTreeValuation(infra);

  const historicalOf = (rows: readonly CustomerRow[], minor: (major: string) => number): ValueRow[] =>
    rows.map(({ customerId, revenue }) => ({ ...NOTHING_EXPECTED, customerId, valueMinor: minor(revenue) }));

  const expectedOf = (
    rows: readonly CustomerRow[],
    { estimate }: LifetimeOutcome,
    horizonDays: number,
    minor: (major: number) => number,
  ): ValueRow[] => {
    if (estimate === null) return [];
    return rows.flatMap(({ customerId }, at): ValueRow[] => {
      const amount = estimate.amount[at] as number;
      if (Number.isNaN(amount)) return [];
      const own = {
        customerId,
        horizonDays,
        valueMinor: minor(amount),
        expectedPurchases: estimate.purchases[at] as number,
        probabilityAlive: estimate.alive[at] as number,
        expectedOrderMinor: minor(estimate.orderAmount[at] as number),
      };
      return [{ ...NOTHING_EXPECTED, ...own }];
    });
  };

  const treesOf = async (
    { learnt }: TreeValueOutcome,
    snapshot: FeatureSnapshot,
    minor: (major: number) => number,
  ): Promise<ValueRow[]> => {
    if (learnt === null) return [];
    return (await valuation.estimates(learnt, snapshot)).map(({ customerId, mean, low, median, high }) => ({
      ...NOTHING_EXPECTED,
      customerId,
      horizonDays: TREE_HORIZON_DAYS,
      valueMinor: minor(mean),
      lowMinor: minor(low),
      medianMinor: minor(median),
      highMinor: minor(high),
    }));
  };

  return {
    async expect(
      rows: readonly CustomerRow[],
      snapshot: FeatureSnapshot,
      signal: AbortSignal | undefined,
    ): Promise<Expectations> {
      const options = await settings.get(LIFETIME_VALUE);
      const [lifetime, trees] = await Promise.all([
        beside('lifetime', [purchaseFacts(rows, snapshot), options], 4 * rows.length, signal),
        valuation.learnt(signal),
      ]);
      return { lifetime, trees };
    },
    async write(
      rows: readonly CustomerRow[],
      snapshot: FeatureSnapshot,
      { lifetime, trees }: Expectations,
      signal: AbortSignal | undefined,
    ): Promise<void> {
      const { at } = snapshot;
      const { reportingCurrency: currency } = snapshot.terms;
      const minor = (major: number | string) =>
        parseMoney(typeof major === 'string' ? major : major.toFixed(6), currency).amountMinor;
      const { horizonMonths } = await settings.get(LIFETIME_VALUE);
      const errors = trees.learnt?.errors ?? { HISTORICAL: {}, BG_NBD: {}, TREES: {} };
      const save = async (model: Omit<ValueModel, 'id' | 'at' | 'customers'>, values: readonly ValueRow[]) => {
        const { method } = model;
        const id = newId();
        await inBatches(values, (tx, batch) => writeValues(tx, { method, at, currency, modelId: id }, batch), signal);
        const measures = { ...model.measures, ...errors[method] };
        await database.transaction((tx) =>
          insertValueModel(tx, { ...model, id, at, customers: values.length, measures }),
        );
      };
      await save(
        { method: 'HISTORICAL', parameters: {}, measures: {}, problem: null, remarks: [HISTORICAL_REMARK] },
        historicalOf(rows, minor),
      );
      const { learnt } = trees;
      await save(
        {
          method: 'TREES',
          parameters: learnt === null ? {} : { bandStretch: learnt.stretch, learntFrom: learnt.learntFrom },
          measures: {},
          problem: trees.problem,
          remarks: learnt?.remarks ?? [],
        },
        await treesOf(trees, snapshot, minor),
      );
      const { estimate, problem } = lifetime;
      await save(
        {
          method: 'BG_NBD',
          parameters: estimate?.parameters ?? {},
          measures: estimate?.measures ?? {},
          problem,
          remarks: estimate?.remarks ?? [],
        },
        expectedOf(rows, lifetime, Math.round(horizonMonths * MONTH_DAYS), minor),
      );
      await database.transaction((tx) => forgetOldModels(tx));
    },
  };
}

/** What its error is of: a method that looks back expects nothing by itself. */
const HISTORICAL_REMARK = `Its error on the holdout is that of expecting the ${TREE_HORIZON_DAYS} days before once more.`;

const NOTHING_EXPECTED = {
  horizonDays: null,
  expectedPurchases: null,
  probabilityAlive: null,
  expectedOrderMinor: null,
  lowMinor: null,
  medianMinor: null,
  highMinor: null,
};
