import { LifetimeDataError } from './result.ts';

/**
 * What BG/NBD knows of customers, one entry each; time in any unit, the same everywhere. Purchases of one period (a day, say) count
 * once, and the first purchase of a customer not at all.
 */
export interface PurchaseHistory {
  /** Repeat purchases: whole numbers from 0. */
  readonly x: Float64Array;
  /** Time from the first to the last purchase; 0 without a repeat purchase. */
  readonly tx: Float64Array;
  /** Time from the first purchase to the end of what was observed; above 0. */
  readonly T: Float64Array;
}

/** Room for rounded times, as a share of T. */
const ROUNDING = 1e-6;

/** @throws LifetimeDataError for the first row that cannot be */
export function checkHistory({ x, tx, T }: PurchaseHistory): void {
  if (x.length !== tx.length || x.length !== T.length)
    throw new LifetimeDataError('x', null, 'has not as many rows as t_x and T');
  if (x.length === 0) throw new LifetimeDataError('x', null, 'has no rows');
  for (let row = 0; row < x.length; row++) {
    const count = x[row]!;
    const last = tx[row]!;
    const end = T[row]!;
    if (!(count >= 0 && Number.isSafeInteger(count)))
      throw new LifetimeDataError('x', row, `${count} is not a whole number from 0 up`);
    if (!(end > 0 && Number.isFinite(end))) throw new LifetimeDataError('T', row, `${end} is not a time above 0`);
    if (!(last >= 0 && last <= end * (1 + ROUNDING))) {
      throw new LifetimeDataError('t_x', row, `${last} is not within 0 and T = ${end}`);
    }
    if (count === 0 && last > 0)
      throw new LifetimeDataError('t_x', row, `${last} must be 0, since x = 0: nobody came back`);
  }
}
