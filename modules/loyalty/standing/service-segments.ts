import type { Population } from '../../../src/core/graph/index.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { BANDS, type LoyaltyBand } from './domain/score.ts';
import { countBands, countUnplaced } from './queries-segments.ts';
import { LOYALTY_SCORE } from './settings.ts';

/** Customers of a band. */
export interface BandShown {
  readonly band: LoyaltyBand;
  /** Score from which it is held. */
  readonly from: number;
  readonly customers: number;
  /** Of all customers who have a score; null when nobody has. */
  readonly share: number | null;
  readonly members: number;
  readonly nonMembers: number;
  /** Points its members hold. */
  readonly points: number;
  readonly revenueMinor: number;
  readonly currency: string;
  readonly revenueShare: number | null;
  readonly meanScore: number | null;
  readonly meanCoverage: number | null;
}

export interface SegmentationShown {
  readonly customers: number;
  /** Customers nobody has reckoned yet. */
  readonly unplaced: number;
  /** All four, highest first. */
  readonly bands: readonly BandShown[];
}

export interface Segmentation {
  /** All customers, or those of a population, by band of their loyalty. */
  segmentation(population: Population): Promise<SegmentationShown>;
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
const hundredth = (value: number | null): number | null => (value === null ? null : Math.round(value * 100) / 100);

export function createSegmentation({
  database,
  settings,
}: Pick<Infrastructure, 'database' | 'settings'>): Segmentation {
  return {
    async segmentation(population) {
      const { timeZone, reportingCurrency: currency } = await settings.get(BUSINESS);
      const { bands: edges } = await settings.get(LOYALTY_SCORE);
      const [counts, unplaced] = await Promise.all([
        countBands(database, population, timeZone, currency),
        countUnplaced(database, population, timeZone),
      ]);
      const placed = counts.reduce((sum, count) => sum + count.customers, 0);
      const revenue = counts.reduce((sum, count) => sum + Number(count.revenue), 0);
      const from = { CHAMPION: edges.champion, LOYAL: edges.loyal, ENGAGED: edges.engaged, SATISFIED: 0 };
      const bands = BANDS.map((band): BandShown => {
        const own = counts.find((count) => count.band === band);
        const customers = own?.customers ?? 0;
        const members = own?.members ?? 0;
        const revenueMinor = Number(own?.revenue ?? 0);
        return {
          band,
          from: from[band],
          customers,
          share: ratio(customers, placed),
          members,
          nonMembers: customers - members,
          points: Number(own?.points ?? 0),
          revenueMinor,
          currency,
          revenueShare: ratio(revenueMinor, revenue),
          meanScore: hundredth(ratio(own?.scores ?? 0, customers)),
          meanCoverage: hundredth(ratio(own?.coverages ?? 0, customers)),
        };
      });
      return { customers: placed + unplaced, unplaced, bands };
    },
  };
}
