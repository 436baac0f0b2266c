/** A day of the calendar; months count from 1. */
export interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** A day on which somebody signed up whose anniversary it is. */
export interface AnniversaryOf extends CalendarDay {
  readonly years: number;
}

export const isLeapYear = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/**
 * The days of signup whose anniversary falls on a day, latest first. Who signed up on 29 February is celebrated on
 * 28 February where the year has no 29th: every customer once a year.
 * @param most how many years to look back
 */
export function anniversariesOn(today: CalendarDay, most: number): AnniversaryOf[] {
  const days: AnniversaryOf[] = [];
  const lastOfFebruary = today.month === 2 && today.day === 28 && !isLeapYear(today.year);
  for (let years = 1; years <= most; years += 1) {
    const year = today.year - years;
    const exists = today.month !== 2 || today.day !== 29 || isLeapYear(year);
    if (exists) days.push({ years, year, month: today.month, day: today.day });
    if (lastOfFebruary && isLeapYear(year)) days.push({ years, year, month: 2, day: 29 });
  }
  return days;
}

/** How many anniversaries of a signup there were up to a day, that day included. */
export function yearsOn(signup: CalendarDay, today: CalendarDay): number {
  const leapt = signup.month === 2 && signup.day === 29 && !isLeapYear(today.year);
  const day = leapt ? 28 : signup.day;
  const before = today.month < signup.month || (today.month === signup.month && today.day < day);
  return Math.max(0, today.year - signup.year - (before ? 1 : 0));
}
