import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { dayOf, nextDay, periodNumber, periodStart, STREAK_PERIODS } from '../calendar.ts';
import { anniversariesOn, isLeapYear, yearsOn } from './anniversaries.ts';
import { advance, type ChallengeFact, contribution, crossed, decimalOf, MICROS, microsOf } from './progress.ts';
import { CODE_BYTES, codeOf, readCode, shareAddress } from './referrals.ts';
import { brokenFrom, extendStreak, type StreakState } from './streaks.ts';

/** Clocks change at midnight, by half an hour, by skipping a whole day, and twice a year; and some never do. */
const ZONES = [
  'Europe/London',
  'America/New_York',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'UTC',
];
/** Changes of clocks in both hemispheres, a leap day, a turn of the year, and the day Samoa left out (2011-12-30). */
const STARTS = ['2024-02-20', '2011-12-20', '2026-03-20', '2026-10-15', '2018-10-25', '2023-12-20', '2025-02-20'];
const HOUR_MS = 3_600_000;
const SPAN_DAYS = 40;

/** The naive model: goes from day to day of the calendar and looks whether anything happened on it. */
function naiveDays(instants: readonly Date[], zone: string, forgiven: number) {
  const active = new Set(instants.map((at) => DateTime.fromJSDate(at, { zone }).toISODate()));
  const days = [...active].sort();
  let length = 0;
  let missed = 0;
  let longest = 0;
  const end = DateTime.fromISO(days.at(-1) as string, { zone: 'utc' });
  for (let day = DateTime.fromISO(days[0] as string, { zone: 'utc' }); day <= end; day = day.plus({ days: 1 })) {
    if (active.has(day.toISODate())) {
      length = missed > forgiven ? 1 : length + 1;
      missed = 0;
      longest = Math.max(longest, length);
    } else missed += 1;
  }
  return { length, longest };
}

describe('streaks', () => {
  const histories = fc.record({
    zone: fc.constantFrom(...ZONES),
    start: fc.constantFrom(...STARTS),
    hours: fc.array(fc.integer({ min: 0, max: SPAN_DAYS * 24 - 1 }), { minLength: 1, maxLength: 60 }),
    forgiven: fc.integer({ min: 0, max: 2 }),
  });

  test('are what one finds going from day to day, in any order of arrival and any time zone', () => {
    fc.assert(
      fc.property(histories, ({ zone, start, hours, forgiven }) => {
        const instants = hours.map((hour) => new Date(Date.parse(start) + hour * HOUR_MS));
        let state: StreakState | null = null;
        for (const at of instants) state = extendStreak(state, [periodNumber(at, 'DAY', zone)], forgiven).state;
        const naive = naiveDays(instants, zone, forgiven);
        expect({ length: state?.length, longest: state?.longest }).toEqual(naive);
        const atOnce = extendStreak(
          null,
          instants.map((at) => periodNumber(at, 'DAY', zone)),
          forgiven,
        );
        expect(atOnce.state).toEqual(state);
      }),
      { numRuns: 400, seed: 4 },
    );
  });

  test('pass each mark once while they last, however their days arrive', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1 }),
        fc.integer({ min: 0, max: 2 }),
        (periods, forgiven) => {
          const { state, steps } = extendStreak(null, periods, forgiven);
          expect(steps.map((step) => step.period)).toEqual(periods);
          // Within the streak that holds everything, as when nothing was missed, a mark is passed by one step only.
          if (state?.length !== periods.length) return;
          for (let mark = 1; mark <= state.length; mark += 1) {
            const passed = steps.filter(({ before, after }) => before < mark && mark <= after).length;
            const apart = extendStreak(
              null,
              [...periods].sort((a, b) => a - b),
              forgiven,
            ).steps;
            expect(apart.filter(({ before, after }) => before < mark && mark <= after)).toHaveLength(1);
            expect(passed).toBeGreaterThanOrEqual(1);
          }
        },
      ),
      { numRuns: 200, seed: 4 },
    );
  });

  test('a day that was forgiven and came late passes no mark again', () => {
    const first = extendStreak(null, [1, 2, 3, 5, 6, 7], 1);
    expect(first.state).toMatchObject({ length: 6, longest: 6 });
    expect(extendStreak(first.state, [4], 1).steps).toEqual([{ period: 4, before: 6, after: 7 }]);
  });

  test('of more than a year with gaps that were forgiven keep their length', () => {
    const everyOther = Array.from({ length: 300 }, (_, index) => 1_000 + index * 2);
    const { state, steps } = extendStreak(null, everyOther, 1);
    expect(state?.length).toBe(300);
    expect(steps.filter(({ before, after }) => before < 200 && after >= 200)).toHaveLength(1);
  });

  test('forget what is long past, but not how long they once were', () => {
    const before = extendStreak(null, [1, 2, 3], 0).state;
    const { state } = extendStreak(before, [1_000], 0);
    expect(state).toEqual({ runs: [{ from: 1_000, to: 1_000 }], length: 1, longest: 3, lastPeriod: 1_000 });
    expect(extendStreak(state, [4], 0)).toEqual({ state, steps: [] });
  });

  test('break when the day after the last one, and those forgiven, are over', () => {
    const zone = 'Europe/London';
    const last = periodNumber(new Date('2026-03-28T23:30:00Z'), 'DAY', zone);
    // Clocks go forward on the 29th, so its end, and with it the streak's, comes an hour early.
    expect(periodStart(brokenFrom(last, 0), 'DAY', zone)).toEqual(new Date('2026-03-29T23:00:00Z'));
    expect(periodStart(brokenFrom(last, 1), 'DAY', zone)).toEqual(new Date('2026-03-30T23:00:00Z'));
  });
});

test('periods have successive numbers, begin where they begin, and hold what is in them', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...STREAK_PERIODS),
      fc.constantFrom(...ZONES),
      fc.date({ min: new Date('2008-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
      (per, zone, at) => {
        const number = periodNumber(at, per, zone);
        const start = periodStart(number, per, zone);
        expect(start <= at).toBe(true);
        expect(at < periodStart(number + 1, per, zone)).toBe(true);
        expect(start).toEqual(
          DateTime.fromJSDate(at, { zone })
            .startOf(({ DAY: 'day', WEEK: 'week', MONTH: 'month' } as const)[per])
            .toJSDate(),
        );
      },
    ),
    { numRuns: 500, seed: 4 },
  );
});

describe('challenges', () => {
  const terms = { event: 'feature.used', goal: 5, from: '2026-11-01T00:00:00Z', until: '2026-12-01T00:00:00Z' };
  const facts = fc.array(
    fc.record({
      name: fc.constantFrom('feature.used', 'order.placed'),
      at: fc.integer({ min: -3, max: 33 }).map((day) => new Date(Date.parse(terms.from) + day * 24 * HOUR_MS)),
      micros: fc.option(fc.integer({ min: -2 * MICROS, max: 3 * MICROS })),
    }),
    { maxLength: 30 },
  );

  test('progress is what counts within the window, up to the goal, which is reached once, however facts are batched', () => {
    fc.assert(
      fc.property(
        facts,
        fc.constantFrom('COUNT' as const, 'VALUE' as const),
        fc.integer({ min: 1, max: 7 }),
        (all, measure, size) => {
          const challenge = { ...terms, measure };
          let sum = 0;
          for (const { name, at, micros } of all as ChallengeFact[]) {
            const inside = name === 'feature.used' && at >= new Date(terms.from) && at < new Date(terms.until);
            if (inside) sum += measure === 'COUNT' ? MICROS : Math.max(0, micros ?? 0);
          }
          let progress = 0;
          let completions = 0;
          for (let start = 0; start < all.length; start += size) {
            const added = all
              .slice(start, start + size)
              .reduce((total, fact) => total + contribution(challenge, fact), 0);
            const step = advance(challenge, progress, added);
            progress = step.progress;
            if (step.completed) completions += 1;
          }
          expect(progress).toBe(Math.min(sum, terms.goal * MICROS));
          expect(completions).toBe(sum >= terms.goal * MICROS ? 1 : 0);
        },
      ),
      { numRuns: 300, seed: 4 },
    );
  });

  test('values are read exactly, and cut behind the sixth place', () => {
    expect(['12.5', '0.0000019', '-3', '1e3', '', '12345678901'].map(microsOf)).toEqual([
      12_500_000,
      1,
      -3_000_000,
      null,
      null,
      null,
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 49 }), (micros) => microsOf(decimalOf(micros)) === micros),
      { numRuns: 200, seed: 4 },
    );
  });

  test('thresholds are passed on the way, the last one included and the first one not', () => {
    const milestones = [10, 50, 100].map((threshold) => ({ threshold }));
    expect(crossed(milestones, 10, 100).map(({ threshold }) => threshold)).toEqual([50, 100]);
    expect(crossed(milestones, 9, 10).map(({ threshold }) => threshold)).toEqual([10]);
    expect(crossed(milestones, 100, 90)).toEqual([]);
  });
});

describe('anniversaries', () => {
  test('come once a year for everybody, those of 29 February included', () => {
    const SIGNUPS = [
      { year: 2020, month: 2, day: 29 },
      { year: 2020, month: 2, day: 28 },
      { year: 2021, month: 2, day: 28 },
      { year: 2021, month: 3, day: 1 },
      { year: 2019, month: 12, day: 31 },
    ];
    const found = SIGNUPS.map(() => [] as string[]);
    for (let today = { year: 2021, month: 1, day: 1 }; today.year < 2029; today = nextDay(today)) {
      for (const { years, ...signup } of anniversariesOn(today, 20)) {
        const index = SIGNUPS.findIndex((one) => JSON.stringify(one) === JSON.stringify(signup));
        found[index]?.push(`${years}: ${today.month}-${today.day}`);
        if (index !== -1) expect(yearsOn(signup, today)).toBe(years);
      }
    }
    expect(found[0]).toEqual(['1: 2-28', '2: 2-28', '3: 2-28', '4: 2-29', '5: 2-28', '6: 2-28', '7: 2-28', '8: 2-29']);
    const before = SIGNUPS.map((signup) => yearsOn(signup, { year: 2023, month: 2, day: 27 }));
    expect(before).toEqual([2, 2, 1, 1, 3]);
    expect(found[1]).toHaveLength(8);
    expect(found.slice(2).map((days) => days.length)).toEqual([7, 7, 8]);
    expect([1900, 2000, 2023, 2024].map(isLeapYear)).toEqual([false, true, false, true]);
  });

  test('are those of the day it is where the business is', () => {
    expect(dayOf(new Date('2026-11-22T23:30:00Z'), 'Asia/Tokyo')).toEqual({ year: 2026, month: 11, day: 23 });
  });
});

describe('referral codes', () => {
  test('are read as people type them', () => {
    const code = codeOf(Uint8Array.from({ length: CODE_BYTES }, (_, index) => index * 25));
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    expect(readCode(code.toLowerCase().replace('-', ' '))).toBe(code);
    expect(readCode('oil00-00001')).toBe('01100-00001');
    expect([readCode('12345'), readCode('12345-6789U'), readCode(`${code}0`)]).toEqual([null, null, null]);
  });

  test('addresses are the same whatever their case', () => {
    expect(shareAddress(['Ada@acme.example'], ['bob@acme.example', ' ada@ACME.example'])).toBe(true);
    expect(shareAddress([], ['ada@acme.example'])).toBe(false);
  });
});
