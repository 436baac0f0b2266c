import { expect, test } from 'vitest';
import { type Expiry, expiresAt } from './expiry.ts';

const DAY = 'END_OF_DAY';
const MONTH = 'END_OF_MONTH';

test.each<[string, number, Expiry['at'], string, string]>([
  ['2026-11-22T12:00:00Z', 12, DAY, 'UTC', '2027-11-23T00:00:00.000Z'],
  ['2026-11-22T12:00:00Z', 12, MONTH, 'UTC', '2027-12-01T00:00:00.000Z'],
  // The day of the business, not of Greenwich.
  ['2026-11-22T16:00:00Z', 1, DAY, 'Asia/Tokyo', '2026-12-23T15:00:00.000Z'],
  ['2026-10-31T16:00:00Z', 1, MONTH, 'Asia/Tokyo', '2026-12-31T15:00:00.000Z'],
  // Leap days.
  ['2028-02-29T23:59:59Z', 12, DAY, 'UTC', '2029-03-01T00:00:00.000Z'],
  ['2028-02-29T23:59:59Z', 48, DAY, 'UTC', '2032-03-01T00:00:00.000Z'],
  ['2027-02-28T00:00:00Z', 12, DAY, 'UTC', '2028-02-29T00:00:00.000Z'],
  ['2027-02-28T00:00:00Z', 12, MONTH, 'UTC', '2028-03-01T00:00:00.000Z'],
  ['2027-08-31T12:00:00Z', 6, DAY, 'UTC', '2028-03-01T00:00:00.000Z'],
  ['2026-01-31T12:00:00Z', 1, DAY, 'UTC', '2026-03-01T00:00:00.000Z'],
  // Summer time: earned in one, gone in the other; and a day of 23 hours.
  ['2026-01-15T12:00:00Z', 6, DAY, 'Europe/London', '2026-07-15T23:00:00.000Z'],
  ['2026-02-28T12:00:00Z', 1, DAY, 'Europe/London', '2026-03-29T00:00:00.000Z'],
  ['2026-03-29T00:30:00Z', 1, DAY, 'Europe/London', '2026-04-29T23:00:00.000Z'],
  // The clocks of Cairo go forward at midnight: the 24th begins at one o'clock, and the 23rd ends then.
  ['2026-03-23T12:00:00Z', 1, DAY, 'Africa/Cairo', '2026-04-23T22:00:00.000Z'],
  ['2026-04-24T12:00:00Z', 1, DAY, 'Africa/Cairo', '2026-05-24T21:00:00.000Z'],
])('points earned at %s last %i months (%s, %s) until %s', (earned, months, at, zone, gone) => {
  expect(expiresAt(new Date(earned), { months, at }, zone)?.toISOString()).toBe(gone);
});

test('the last instant of a day and the first of the next lapse a day apart', () => {
  const expiry: Expiry = { months: 1, at: DAY };
  const until = (at: string) => expiresAt(new Date(at), expiry, 'Europe/London')?.toISOString();
  // The day before the clocks go back has 25 hours.
  expect(until('2026-10-24T22:59:59.999Z')).toBe('2026-11-25T00:00:00.000Z');
  expect(until('2026-10-24T23:00:00.000Z')).toBe('2026-11-26T00:00:00.000Z');
  expect(until('2026-10-25T23:59:59.999Z')).toBe('2026-11-26T00:00:00.000Z');
  expect(until('2026-10-26T00:00:00.000Z')).toBe('2026-11-27T00:00:00.000Z');
});

test('points can last for ever', () => {
  expect(expiresAt(new Date('2026-11-22T12:00:00Z'), { months: null, at: DAY }, 'UTC')).toBeNull();
});
