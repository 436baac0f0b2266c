/** What members who joined in a month did in a month of their membership. */
export interface CohortCell {
  /** Members who earned or redeemed. */
  readonly active: number;
  readonly earned: number;
  readonly redeemed: number;
}

/** A cell as it was counted. */
export interface CountedCell extends CohortCell {
  /** In which of the months they joined. */
  readonly place: number;
  /** Months since. */
  readonly age: number;
}

export interface MemberCohort {
  readonly month: string;
  readonly members: number;
  /** By age in months from 0; null where the month has not begun. */
  readonly cells: readonly (CohortCell | null)[];
}

const NOTHING: CohortCell = { active: 0, earned: 0, redeemed: 0 };

/**
 * Cohorts as a matrix, the oldest first: every row as long as there are months, what has not begun is null and what did
 * not happen is 0.
 * @param months first days of the months, the oldest first, the running one last
 */
export function memberCohorts(
  months: readonly string[],
  members: ReadonlyMap<number, number>,
  counted: readonly CountedCell[],
): MemberCohort[] {
  const cells = new Map(counted.map(({ place, age, ...cell }) => [`${place} ${age}`, cell]));
  return months.map((month, place) => ({
    month,
    members: members.get(place) ?? 0,
    cells: months.map((_, age) => (place + age < months.length ? (cells.get(`${place} ${age}`) ?? NOTHING) : null)),
  }));
}
