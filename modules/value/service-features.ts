import { createHash } from 'node:crypto';
import { DateTime } from 'luxon';
import type { Tx } from '../../src/core/database/index.ts';
import { newId } from '../../src/core/ids.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { minorUnitDigits } from '../../src/core/money.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import { type CustomerPort, passiveEventNames } from '../customers/contract.ts';
import { CATALOGUE_VERSION } from './domain/catalogue.ts';
import { type SegmentRule, scoreAll, segmentOf } from './domain/rfm.ts';
import { type FeatureTerms, writeSnapshots } from './queries/features.ts';
import { type Placement, rfmFacts, type StoredFacts, writePlacements } from './queries/segments.ts';
import {
  activeMonths,
  contentOf,
  type FeatureSnapshot,
  type InputSlice,
  inputSlices,
  listSnapshots,
  putInForce,
  type SnapshotKind,
} from './queries/snapshots.ts';
import { SEGMENT_SETTING, SNAPSHOTS } from './settings.ts';

/**
 * Rows that one statement may make: a few snapshots of a small business at once, one of a large one. With 4,338 customers, five at
 * once take 170 MB and 13 take 290 MB for the same processor time.
 */
const ROWS_AT_ONCE = 25_000;
const SNAPSHOTS_MAX = 61;

interface Planned {
  readonly at: Date;
  readonly kind: SnapshotKind;
}

export interface FeatureRefresh {
  /** Null while nothing ever happened. */
  readonly latest: FeatureSnapshot | null;
  readonly computed: number;
  readonly kept: number;
}

/** The feature store: which snapshots there are to be, and their computation. */
export function createFeatureStore(infra: Infrastructure, customers: CustomerPort) {
  const { database, analytics, settings, clock } = infra;

  const termsNow = async (): Promise<FeatureTerms> => {
    const [{ reportingCurrency, timeZone }, rates] = await Promise.all([
      settings.get(BUSINESS),
      customers.datedRates(),
    ]);
    const currencies = [...new Set([reportingCurrency, ...rates.map(({ currency }) => currency)])].sort();
    const places = Object.fromEntries(currencies.map((currency) => [currency, minorUnitDigits(currency)]));
    return { reportingCurrency, timeZone, rates, places };
  };

  /** The end of each month in which something happened, and now; nothing while nothing ever happened. Ascending. */
  const plan = async (timeZone: string, now: Date): Promise<Planned[]> => {
    const { months } = await settings.get(SNAPSHOTS);
    const active = await activeMonths(analytics, {
      passiveNames: passiveEventNames,
      timeZone,
      before: now,
      limit: months + 1,
    });
    if (active.length === 0) return [];
    const ends = active
      .map((month) => DateTime.fromISO(month, { zone: timeZone }).plus({ months: 1 }).toJSDate())
      .filter((at) => at < now)
      .slice(0, months)
      .reverse();
    return [...ends.map((at) => ({ at, kind: 'MONTH' as const })), { at: now, kind: 'LATEST' }];
  };

  /** One computation of some snapshots: features, then where everybody stands. Nothing is in force yet. */
  const compute = async (snapshots: readonly FeatureSnapshot[], terms: FeatureTerms): Promise<FeatureSnapshot[]> => {
    await writeSnapshots(analytics, snapshots, terms, passiveEventNames);
    const rules = await settings.get(SEGMENT_SETTING);
    const facts = new Map<string, StoredFacts[]>(snapshots.map(({ id }) => [id, []]));
    for await (const rows of rfmFacts(analytics, [...facts.keys()])) {
      for (const row of rows) facts.get(row.snapshotId)?.push(row);
    }
    const placements = snapshots.flatMap(({ id, at }) => place(facts.get(id) ?? [], at, rules));
    await writePlacements(analytics, placements);
    const contents = await contentOf(
      analytics,
      snapshots.map(({ id }) => id),
    );
    return snapshots.map((snapshot) => {
      const { customers: rows = 0, hash = '' } = contents.get(snapshot.id) ?? {};
      return { ...snapshot, customers: rows, contentHash: hash };
    });
  };

  return {
    /**
     * Brings the snapshots up to date: those whose input is as it was stay as they are.
     * @param announce is called in the transaction that puts new snapshots in force, so that no crash can part the two
     * @param signal looked at between statements
     */
    async refresh(
      announce: (tx: Tx, latest: FeatureSnapshot, computed: number) => Promise<void>,
      signal?: AbortSignal,
    ): Promise<FeatureRefresh> {
      const now = clock.now();
      const terms = await termsNow();
      const rules = await settings.get(SEGMENT_SETTING);
      const planned = await plan(terms.timeZone, now);
      const instants = planned.map(({ at }) => at);
      const [slices, known] = await Promise.all([
        inputSlices(analytics, instants, passiveEventNames),
        listSnapshots(database, SNAPSHOTS_MAX),
      ]);
      const wanted = planned.map(({ at, kind }, place): FeatureSnapshot => {
        const seen = slices.filter(({ slot }) => slot >= 1 && slot <= place + 1);
        return {
          id: newId(),
          at,
          kind,
          watermark: new Date(Math.max(0, ...seen.map(({ receivedMs }) => receivedMs))),
          inputHash: hashOf([CATALOGUE_VERSION, passiveEventNames, terms, rules, addedUp(seen)]),
          contentHash: '',
          customers: 0,
          catalogueVersion: CATALOGUE_VERSION,
          terms,
          computedAt: infra.systemClock.now(),
        };
      });
      const inForce = new Map(known.map((snapshot) => [snapshot.at.getTime(), snapshot]));
      const due = wanted.filter(({ at, inputHash }) => inForce.get(at.getTime())?.inputHash !== inputHash);
      const size = Math.max(1, Math.floor(ROWS_AT_ONCE / Math.max(1, await customers.count())));
      const computed: FeatureSnapshot[] = [];
      for (let start = 0; start < due.length; start += size) {
        signal?.throwIfAborted();
        computed.push(...(await compute(due.slice(start, start + size), terms)));
      }
      const latest = computed.at(-1) ?? inForce.get(now.getTime()) ?? null;
      await database.transaction(async (tx) => {
        await putInForce(tx, computed, instants);
        if (latest !== null && computed.length > 0) await announce(tx, latest, computed.length);
      });
      return { latest, computed: computed.length, kept: wanted.length - due.length };
    },

    /**
     * Computes a snapshot anew from what had been received by its watermark, without putting it in force.
     * @returns the computation: it has the hash of the one in force when nothing that went in was changed since
     */
    async recompute(snapshot: FeatureSnapshot): Promise<FeatureSnapshot> {
      const [again] = await compute(
        [{ ...snapshot, id: newId(), computedAt: infra.systemClock.now() }],
        snapshot.terms,
      );
      return again as FeatureSnapshot;
    },
  };
}

/** Where everybody stands at a snapshot. */
function place(facts: readonly StoredFacts[], at: Date, rules: readonly SegmentRule[]): Placement[] {
  const scores = scoreAll(facts);
  return facts.flatMap((one, index) => {
    const own = scores[index];
    return own === undefined ? [] : [{ ...one, at, scores: own, segment: segmentOf(own, one.orders, rules) }];
  });
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** Rows and their hashes added up by source: the same for the same rows, wherever the slices were cut. */
function addedUp(slices: readonly InputSlice[]): [source: string, rows: number, hash: string][] {
  const sums = new Map<string, { rows: number; hash: bigint }>();
  for (const { source, rows, hash } of slices) {
    const sum = sums.get(source) ?? { rows: 0, hash: 0n };
    sums.set(source, { rows: sum.rows + rows, hash: BigInt.asUintN(64, sum.hash + BigInt(hash)) });
  }
  return [...sums].map(([source, { rows, hash }]) => [source, rows, hash.toString()]);
}
