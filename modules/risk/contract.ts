import type { HealthTier } from './domain/health.ts';
import type { RiskCategory } from './domain/retention-risk.ts';

export type { HealthTier } from './domain/health.ts';
export type { RiskCategory } from './domain/retention-risk.ts';
export * from './events.ts';
export { USAGE_EXPECTATIONS } from './settings.ts';

/** How many customers stand where; `UNKNOWN` counts those of whom nothing is known. */
export interface HealthDistribution {
  readonly tiers: Readonly<Record<HealthTier | 'UNKNOWN', number>>;
  readonly categories: Readonly<Record<RiskCategory | 'UNKNOWN', number>>;
  /** Mean of the known scores, 0 to 100; null when none is known. */
  readonly meanScore: number | null;
  /** Customers by tenths of the score: [0,10), [10,20) ... [90,100]. */
  readonly histogram: readonly number[];
}

/** What `risk` answers to other modules now. */
export interface RiskPort {
  healthDistribution(): Promise<HealthDistribution>;
}
