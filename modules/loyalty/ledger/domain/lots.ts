/**
 * Points that became available by one entry and are not spent yet: they are spent, and lapse, the oldest first. The lots
 * of an account hold exactly what is available.
 */
export interface Lot {
  /** The entry the points came with. */
  readonly id: string;
  readonly earnedAt: Date;
  /** The first instant at which they are gone; null: never. */
  readonly expiresAt: Date | null;
  /** What is left of them, above zero. */
  readonly points: number;
}

/** Points an entry took from a lot; negative when it gave them back. */
export interface LotUse {
  readonly lotId: string;
  readonly points: number;
}

/** The oldest first; of the same age, in the order they were written. */
export function byAge(a: Pick<Lot, 'earnedAt' | 'id'>, b: Pick<Lot, 'earnedAt' | 'id'>): number {
  const older = a.earnedAt.getTime() - b.earnedAt.getTime();
  if (older !== 0) return older;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export const pointsIn = (lots: readonly Pick<Lot, 'points'>[]): number =>
  lots.reduce((sum, lot) => sum + lot.points, 0);

const isDue = (lot: Pick<Lot, 'expiresAt'>, now: Date): boolean => lot.expiresAt !== null && lot.expiresAt <= now;

/** Parts the lots whose time is over from the others. */
export function lapse(
  lots: readonly Lot[],
  now: Date,
): { readonly left: readonly Lot[]; readonly due: readonly Lot[] } {
  if (!lots.some((lot) => isDue(lot, now))) return { left: lots, due: [] };
  return { left: lots.filter((lot) => !isDue(lot, now)), due: lots.filter((lot) => isDue(lot, now)) };
}

/**
 * Takes points from lots, the oldest first.
 * @param lots by age
 * @param own the lot to begin with, when its own points are taken back
 * @throws Error when the lots do not hold so many, which the caller has to know
 */
export function take(
  lots: readonly Lot[],
  points: number,
  own: string | null = null,
): { readonly left: readonly Lot[]; readonly uses: readonly LotUse[] } {
  const taken = new Map<string, number>();
  let missing = points;
  const from = (lot: Lot) => {
    const used = Math.min(lot.points - (taken.get(lot.id) ?? 0), missing);
    if (used <= 0) return;
    taken.set(lot.id, (taken.get(lot.id) ?? 0) + used);
    missing -= used;
  };
  for (const lot of lots) if (lot.id === own) from(lot);
  for (const lot of lots) from(lot);
  if (missing > 0) throw new Error(`${points} points were to be taken from lots that hold ${points - missing}`);
  return {
    left: lots.flatMap((lot) => {
      const rest = lot.points - (taken.get(lot.id) ?? 0);
      return rest === 0 ? [] : rest === lot.points ? [lot] : [{ ...lot, points: rest }];
    }),
    uses: [...taken].map(([lotId, used]) => ({ lotId, points: used })),
  };
}

/** Puts lots beside others; what belongs to one lot is added to it. */
export function put(lots: readonly Lot[], more: readonly Lot[]): readonly Lot[] {
  if (more.length === 0) return lots;
  const added = new Map(more.map((lot) => [lot.id, lot]));
  const joined = lots.map((lot) => {
    const one = added.get(lot.id);
    if (one === undefined) return lot;
    added.delete(lot.id);
    return { ...lot, points: lot.points + one.points };
  });
  return added.size === 0 ? joined : [...joined, ...added.values()].sort(byAge);
}

/**
 * Which of the points once taken are given back, when a part of them is not: the youngest, so that a debt is paid with
 * those that would lapse first.
 * @param taken by age, what was taken of each lot
 */
export function giveBack(taken: readonly Lot[], points: number): readonly Lot[] {
  let kept = pointsIn(taken) - points;
  if (kept < 0) throw new Error(`${points} points were to be given back to lots that gave ${pointsIn(taken)}`);
  return taken.flatMap((lot) => {
    const withheld = Math.min(kept, lot.points);
    kept -= withheld;
    return withheld === lot.points ? [] : [{ ...lot, points: lot.points - withheld }];
  });
}
