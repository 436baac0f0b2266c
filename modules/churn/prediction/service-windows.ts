import type { Infrastructure } from '../../../src/core/module.ts';
import { minorUnitDigits } from '../../../src/core/money.ts';
import { FEATURES, type FeatureSnapshot, featureNames, type ValuePort } from '../../value/contract.ts';
import type { WindowFacts } from './domain/model.ts';
import type { LabelledRows } from './domain/training.ts';
import { fates, recurringAt } from './queries.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const MONTHS_A_YEAR = 12;
const COLUMNS = FEATURES.length;
const REVENUE = featureNames.indexOf('revenue');

/** Customers who were here at a snapshot, with their features. */
export interface Present {
  readonly customerIds: readonly string[];
  /** Row-major, in shared memory: threads are given it without a copy. */
  readonly features: Float32Array;
}

const shared = (values: number): Float32Array =>
  new Float32Array(new SharedArrayBuffer(values * Float32Array.BYTES_PER_ELEMENT));

/** Reads what models learn from and what they score: features of the value module beside the fates of this one. */
export function createWindows({ database }: Infrastructure, value: ValuePort) {
  /** Who was here at an instant, and whether gone at another. */
  const readFates = async (at: Date, until: Date): Promise<Map<string, boolean>> => {
    const left = new Map<string, boolean>();
    for await (const page of fates(database, at, until)) for (const one of page) left.set(one.customerId, one.left);
    return left;
  };

  /** Calls back for each customer of a snapshot, in the order of their ids. */
  const eachRow = async (
    snapshotId: string,
    visit: (customerId: string, row: Float32Array) => void,
    signal?: AbortSignal,
  ): Promise<void> => {
    for await (const { customerIds, values } of value.featureBlocks(snapshotId)) {
      signal?.throwIfAborted();
      for (const [row, customerId] of customerIds.entries()) {
        visit(customerId, values.subarray(row * COLUMNS, (row + 1) * COLUMNS));
      }
    }
  };

  /**
   * What customers brought in the year before a snapshot: orders, and what they paid a month then for twelve months, in minor units. Their
   * revenue of a year earlier comes from the snapshot of that time; before there was one, all revenue lies within the year.
   */
  const yearly = async (snapshot: FeatureSnapshot, known: readonly FeatureSnapshot[], signal?: AbortSignal) => {
    const currency = snapshot.terms.reportingCurrency;
    const unit = 10 ** minorUnitDigits(currency);
    const brought = new Map<string, number>();
    const add = (customerId: string, minor: number) => brought.set(customerId, (brought.get(customerId) ?? 0) + minor);
    const sumUp = (id: string, sign: number) =>
      eachRow(id, (customerId, row) => add(customerId, sign * (row[REVENUE] as number) * unit), signal);
    await sumUp(snapshot.id, 1);
    const yearAgo = known
      .filter(({ at }) => at.getTime() <= snapshot.at.getTime() - YEAR_MS)
      .sort((a, b) => b.at.getTime() - a.at.getTime())[0];
    if (yearAgo !== undefined) await sumUp(yearAgo.id, -1);
    for await (const page of recurringAt(database, snapshot.at, currency)) {
      for (const { customerId, mrrMinor } of page) add(customerId, mrrMinor * MONTHS_A_YEAR);
    }
    return brought;
  };

  return {
    /** Everybody who is here, for scoring. */
    async present(snapshot: FeatureSnapshot, signal?: AbortSignal): Promise<Present> {
      const here = await readFates(snapshot.at, snapshot.at);
      const features = shared(snapshot.customers * COLUMNS);
      const customerIds: string[] = [];
      await eachRow(
        snapshot.id,
        (customerId, row) => {
          if (!here.has(customerId)) return;
          features.set(row, customerIds.length * COLUMNS);
          customerIds.push(customerId);
        },
        signal,
      );
      return { customerIds, features: features.subarray(0, customerIds.length * COLUMNS) };
    },

    /**
     * Rows to learn from or to measure on: who was here at each snapshot, and who of them was gone when the horizon ended.
     * @param valued with what each customer brings in a year, after gross margin; without it the values are 0
     */
    async labelled(
      snapshots: readonly FeatureSnapshot[],
      horizonMs: number,
      valued: { readonly known: readonly FeatureSnapshot[]; readonly grossMargin: number } | null,
      signal?: AbortSignal,
    ): Promise<LabelledRows & { readonly facts: WindowFacts }> {
      const most = snapshots.reduce((sum, { customers }) => sum + customers, 0);
      const features = shared(most * COLUMNS);
      const labels = new Float64Array(most);
      const values = new Float64Array(most);
      let rows = 0;
      let leavers = 0;
      for (const snapshot of snapshots) {
        const left = await readFates(snapshot.at, new Date(snapshot.at.getTime() + horizonMs));
        const brought = valued === null ? null : await yearly(snapshot, valued.known, signal);
        await eachRow(
          snapshot.id,
          (customerId, row) => {
            const gone = left.get(customerId);
            if (gone === undefined) return;
            features.set(row, rows * COLUMNS);
            labels[rows] = gone ? 1 : 0;
            values[rows] = Math.max(0, brought?.get(customerId) ?? 0) * (valued?.grossMargin ?? 0);
            leavers += gone ? 1 : 0;
            rows += 1;
          },
          signal,
        );
      }
      const last = snapshots.at(-1) as FeatureSnapshot;
      return {
        features: features.subarray(0, rows * COLUMNS),
        labels: labels.slice(0, rows),
        values: values.slice(0, rows),
        facts: {
          snapshots: snapshots.map(({ at }) => at.toISOString()),
          contentHashes: snapshots.map(({ contentHash }) => contentHash),
          rows,
          leavers,
          labelsUntil: new Date(last.at.getTime() + horizonMs).toISOString(),
        },
      };
    },
  };
}

export type Windows = ReturnType<typeof createWindows>;
