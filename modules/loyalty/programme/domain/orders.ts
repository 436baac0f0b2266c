import type { CapPeriod } from '../../domain/rules.ts';
import type { TierKey } from '../../domain/tiers.ts';
import { times } from './campaigns.ts';

/** What orders earn. */
export interface OrderPoints {
  readonly enabled: boolean;
  /** Points per whole unit of the reporting currency. */
  readonly pointsPerUnit: number;
  /** Orders below so many whole units earn nothing. */
  readonly minimumUnits: number;
  /** By tier; 1 leaves the points as they are. */
  readonly multipliers: Readonly<Record<TierKey, number>>;
  /** The most points of one order, campaigns included; null: no bound. */
  readonly maxPointsPerOrder: number | null;
  /** The most points of all orders of a customer in a period: an order that would exceed it earns what is left. */
  readonly cap: { readonly points: number; readonly per: CapPeriod } | null;
}

/** What an order comes to before campaigns: whole units, each so many points; 0 below the minimum. */
export function basePointsOfOrder(terms: OrderPoints, wholeUnits: number): number {
  return wholeUnits < Math.max(terms.minimumUnits, 1) ? 0 : wholeUnits * terms.pointsPerUnit;
}

/** The same for the members of a tier. */
export const tierPointsOfOrder = (terms: OrderPoints, tier: TierKey, base: number): number =>
  times(base, terms.multipliers[tier]);

/** What is left of the points of an order behind its bounds; 0 when the period's cap is used up. @param used points of orders in the period */
export function boundedPointsOfOrder(terms: OrderPoints, points: number, used: number): number {
  const ofOrder = Math.min(points, terms.maxPointsPerOrder ?? points);
  return terms.cap === null ? ofOrder : Math.min(ofOrder, Math.max(terms.cap.points - used, 0));
}
