import { expect, test } from 'vitest';
import type { CapPeriod } from './domain/rules.ts';
import { calendarPeriod } from './period.ts';

test.each<[string, CapPeriod, string, string, string]>([
  ['2026-11-22T12:00:00Z', 'DAY', 'UTC', '2026-11-22T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
  ['2026-11-22T12:00:00Z', 'WEEK', 'UTC', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
  ['2026-11-22T12:00:00Z', 'MONTH', 'Asia/Tokyo', '2026-10-31T15:00:00.000Z', '2026-11-30T15:00:00.000Z'],
  ['2026-11-22T12:00:00Z', 'QUARTER', 'UTC', '2026-10-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['2028-02-29T23:00:00Z', 'YEAR', 'UTC', '2028-01-01T00:00:00.000Z', '2029-01-01T00:00:00.000Z'],
  // Days on which the clocks change have 23 and 25 hours.
  ['2026-03-29T12:00:00Z', 'DAY', 'Europe/London', '2026-03-29T00:00:00.000Z', '2026-03-29T23:00:00.000Z'],
  ['2026-10-25T12:00:00Z', 'DAY', 'Europe/London', '2026-10-24T23:00:00.000Z', '2026-10-26T00:00:00.000Z'],
  // In Cairo they do so at midnight: the 24th begins at one o'clock.
  ['2026-04-23T22:00:00Z', 'DAY', 'Africa/Cairo', '2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z'],
  ['2026-04-23T12:00:00Z', 'DAY', 'Africa/Cairo', '2026-04-22T22:00:00.000Z', '2026-04-23T22:00:00.000Z'],
])('%s lies in the %s of %s that begins at %s', (at, per, zone, start, end) => {
  const period = calendarPeriod(new Date(at), per, zone);
  expect([period.start.toISOString(), period.end.toISOString()]).toEqual([start, end]);
});
