import { createHash } from 'node:crypto';
import type { Infrastructure } from '../../src/core/module.ts';
import { passiveEventNames } from '../customers/contract.ts';
import { FEATURES, featureNames } from './domain/catalogue.ts';
import {
  CUSTOMERS_MIN,
  TREE_HORIZON_DAYS,
  TREE_METHOD_VERSION,
  type TreeValue,
  type TreeValueOutcome,
  treeValuer,
  type ValueWindow,
} from './domain/tree-value.ts';
import { purchaseFacts } from './purchase-facts.ts';
import { featureBlocks, unpacked } from './queries/blocks.ts';
import { type OutcomeRow, outcomeRows } from './queries/outcomes.ts';
import { type FeatureSnapshot, listSnapshots } from './queries/snapshots.ts';
import { findLearnt, keepLearnt } from './store-trees.ts';
import { beside } from './worker.ts';

const HORIZON_MS = TREE_HORIZON_DAYS * 86_400_000;
const SNAPSHOTS_MAX = 61;
/** Customers of a window that are looked at: bounds time and memory, and more change little. */
const WINDOW_CUSTOMERS_MAX = 10_000;
/** The least that usable windows can be: one more than is judged, so that it is not the first there ever was. */
const WINDOWS_MIN = 2;
const ORDERS = featureNames.indexOf('orders');

/** What trees expect of a customer, in major units. */
export interface TreeEstimate {
  readonly customerId: string;
  readonly mean: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** Lifetime value by boosted trees: learnt when a month has ended, used at every refresh until the next. */
export function createTreeValuation(infra: Infrastructure) {
  const { database, analytics, systemClock } = infra;

  const load = async (snapshots: readonly FeatureSnapshot[]): Promise<ValueWindow[]> => {
    const windows = snapshots.map(({ id, at }) => ({ snapshotId: id, at }));
    const { terms } = snapshots[0] as FeatureSnapshot;
    const most = Math.max(...snapshots.map(({ customers }) => customers));
    const rows = new Map<string, OutcomeRow[]>(snapshots.map(({ id }) => [id, []]));
    const options = {
      horizonDays: TREE_HORIZON_DAYS,
      passiveNames: passiveEventNames,
      share: Math.min(1, WINDOW_CUSTOMERS_MAX / most),
    };
    for (const row of await outcomeRows(analytics, windows, terms, options)) rows.get(row.snapshotId)?.push(row);
    return snapshots.map((snapshot) => windowOf(snapshot, rows.get(snapshot.id) ?? []));
  };

  const learn = async (
    snapshots: readonly FeatureSnapshot[],
    signal: AbortSignal | undefined,
  ): Promise<TreeValueOutcome> => {
    const windows = await load(snapshots);
    const small = windows.find(({ bought }) => bought.length < CUSTOMERS_MIN);
    if (small !== undefined) {
      const problem = `Only ${small.bought.length} customers had ordered before ${small.on}; ${CUSTOMERS_MIN} are the least to learn from.`;
      return { learnt: null, problem };
    }
    const numbers = windows.reduce((sum, { features }) => sum + features.length, 0);
    return beside('trees', [windows], numbers, signal);
  };

  return {
    /** Models for use, or why there are none: those kept, unless a month has ended since or the past has changed. */
    async learnt(signal?: AbortSignal): Promise<TreeValueOutcome> {
      const months = (await listSnapshots(database, SNAPSHOTS_MAX)).filter(({ kind }) => kind === 'MONTH');
      const [newest] = months;
      const usable = months.filter(
        ({ at, customers }) =>
          customers >= CUSTOMERS_MIN && at.getTime() + HORIZON_MS <= (newest as FeatureSnapshot).at.getTime(),
      );
      if (newest === undefined || usable.length < WINDOWS_MIN) {
        const problem = `Too little history: ${usable.length} of the monthly snapshots have ${CUSTOMERS_MIN} customers and ${TREE_HORIZON_DAYS} known days after them; ${WINDOWS_MIN} are the least.`;
        return { learnt: null, problem };
      }
      const windows = windowsOf(usable);
      // All that happened before the newest month's end goes into its hash, so what came after each window, too.
      const inputHash = hashOf([TREE_METHOD_VERSION, newest.inputHash, windows.map(({ at }) => at)]);
      const kept = await findLearnt(database, inputHash);
      if (kept !== null) return kept;
      const outcome = await learn(windows, signal);
      await database.transaction((tx) => keepLearnt(tx, inputHash, systemClock.now(), outcome));
      return outcome;
    },
    /** What is expected of everybody who has ordered by a snapshot, in the order of their ids. */
    async estimates(learnt: TreeValue, snapshot: FeatureSnapshot): Promise<TreeEstimate[]> {
      const value = treeValuer(learnt);
      const found: TreeEstimate[] = [];
      for await (const { customerIds, values } of featureBlocks(analytics, snapshot.id)) {
        const { mean, low, median, high } = value(values);
        for (const [row, customerId] of customerIds.entries()) {
          if ((values[row * FEATURES.length + ORDERS] as number) === 0) continue;
          const of = (amounts: Float64Array) => amounts[row] as number;
          found.push({ customerId, mean: of(mean), low: of(low), median: of(median), high: of(high) });
        }
      }
      return found;
    },
  };
}

/** Three windows without overlap, the oldest first, when there are such; else the newest. */
function windowsOf(usable: readonly FeatureSnapshot[]): FeatureSnapshot[] {
  const over = (next: FeatureSnapshot | undefined) =>
    next === undefined ? undefined : usable.find(({ at }) => at.getTime() + HORIZON_MS <= next.at.getTime());
  const [third] = usable;
  const second = over(third);
  const first = over(second);
  const three = [first, second, third].filter((one) => one !== undefined);
  return three.length === 3 ? three : three.slice(-1);
}

function windowOf(snapshot: FeatureSnapshot, rows: readonly OutcomeRow[]): ValueWindow {
  return {
    on: snapshot.at.toISOString().slice(0, 10),
    features: unpacked(rows),
    facts: purchaseFacts(rows, snapshot),
    bought: Float64Array.from(rows, ({ bought }) => bought),
  };
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
