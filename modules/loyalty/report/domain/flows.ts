/** What entries of a stretch of time add to what members hold less what they owe, by kind; all at least 0 but `adjusted`. */
export interface Flows {
  /** Earned. */
  readonly issued: number;
  /** Given back: a redemption was reversed. */
  readonly returned: number;
  readonly redeemed: number;
  readonly expired: number;
  /** Taken back: earnings were reversed. */
  readonly reversed: number;
  /** Put right by hand: more or less than 0. */
  readonly adjusted: number;
}

/** Points held and owed at an instant. */
export interface Stock {
  /** Held by members. */
  readonly outstanding: number;
  /** Spent and then taken back: what comes next pays it first. */
  readonly owed: number;
  /** Left in accounts of members who were erased: nobody can use them. */
  readonly unclaimable: number;
}

export const NO_FLOWS: Flows = { issued: 0, returned: 0, redeemed: 0, expired: 0, reversed: 0, adjusted: 0 };

export const addFlows = (a: Flows, b: Flows): Flows => ({
  issued: a.issued + b.issued,
  returned: a.returned + b.returned,
  redeemed: a.redeemed + b.redeemed,
  expired: a.expired + b.expired,
  reversed: a.reversed + b.reversed,
  adjusted: a.adjusted + b.adjusted,
});

/** What flows add in all: the end is the start and this, to the point. */
export const netOf = ({ issued, returned, redeemed, expired, reversed, adjusted }: Flows): number =>
  issued + returned - redeemed - expired - reversed + adjusted;

/** Share of what was issued that was redeemed and not given back; null when nothing was issued. */
export const redemptionRate = ({ issued, redeemed, returned }: Flows): number | null =>
  issued === 0 ? null : Math.max(0, redeemed - returned) / issued;

const TEN_THOUSANDTHS = 10_000n;

/**
 * Points in money: exact, rounded half up to a minor unit.
 * @param pointValueMinor minor units a point is worth, with at most 4 decimals
 */
export function valueOfPoints(points: number, pointValueMinor: number): number {
  const each = BigInt(Math.round(pointValueMinor * Number(TEN_THOUSANDTHS)));
  return Number((BigInt(points) * each + TEN_THOUSANDTHS / 2n) / TEN_THOUSANDTHS);
}
