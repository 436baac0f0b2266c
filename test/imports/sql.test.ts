import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventUid } from '../../modules/customers/identity.ts';
import type { DateFormat } from '../../modules/customers/imports/model.ts';
import { parseDecimal, parseTime, quote, uid } from '../../modules/customers/imports/sql.ts';
import { catalogueRules } from '../../modules/customers/imports/stream/catalogue-rules.ts';
import { prepareEvent } from '../../modules/customers/service/event-input.ts';
import { openAnalytics } from '../../src/core/analytics/index.ts';
import type { Analytics } from '../../src/core/analytics/types.ts';
import { DomainError } from '../../src/core/errors.ts';

let analytics: Analytics;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-sql-'));
  analytics = await openAnalytics({ path: folder }, { database: 'test' });
});

afterAll(async () => {
  await analytics.close();
  rmSync(folder, { recursive: true, force: true });
});

async function valueFrom<Value>(sql: string): Promise<Value> {
  const [row] = await analytics.query<{ value: Value }>(`SELECT ${sql} AS value`);
  return (row as { value: Value }).value;
}

describe('moments', () => {
  test.each<[DateFormat, string, string, string | null]>([
    ['ISO', 'UTC', '2010-12-01 08:26:00', '2010-12-01T08:26:00.000Z'],
    ['ISO', 'UTC', '2010-12-01T08:26:00.1234Z', '2010-12-01T08:26:00.123Z'],
    ['ISO', 'Europe/Berlin', '2011-07-01 08:26', '2011-07-01T06:26:00.000Z'],
    ['ISO', 'Europe/Berlin', '2011-07-01T08:26:00+05:30', '2011-07-01T02:56:00.000Z'],
    ['ISO', 'UTC', '2011-07-01', '2011-07-01T00:00:00.000Z'],
    ['ISO', 'UTC', '2011-02-30', null],
    ['ISO', 'UTC', '2011-13-01', null],
    ['ISO', 'UTC', '2011-07-01 25:00', null],
    ['ISO', 'UTC', '1/12/2010 8:26', null],
    ['ISO', 'UTC', 'yesterday', null],
    ['DAY_MONTH_YEAR', 'UTC', '1/12/2010 8:26', '2010-12-01T08:26:00.000Z'],
    ['DAY_MONTH_YEAR', 'UTC', '31.12.2010', '2010-12-31T00:00:00.000Z'],
    ['DAY_MONTH_YEAR', 'UTC', '12/31/2010', null],
    ['MONTH_DAY_YEAR', 'UTC', '12/1/2010 8:26', '2010-12-01T08:26:00.000Z'],
    ['MONTH_DAY_YEAR', 'UTC', '31/12/2010', null],
    ['UNIX_SECONDS', 'UTC', '1291191960', '2010-12-01T08:26:00.000Z'],
    ['UNIX_SECONDS', 'UTC', '1.2e9', null],
    ['UNIX_MILLISECONDS', 'Europe/Berlin', '1291191960123', '2010-12-01T08:26:00.123Z'],
  ])('%s in %s: %s', async (format, zone, text, expected) => {
    expect(await valueFrom(parseTime(quote(text), format, zone))).toBe(expected);
  });
});

test.each([
  ['1', '1'],
  ['-12.5', '-12.5'],
  ['+0.1230', '0.123'],
  ['999999999999999.999', '999999999999999.999'],
  ['1.', '1'],
  ['1.2345', null],
  ['.5', null],
  ['1e3', null],
  ['1,5', null],
  ['9999999999999999', null],
  ['', null],
])('decimals: "%s"', async (text, expected) => {
  expect(await valueFrom(parseDecimal(quote(text), 18, 3))).toBe(expected);
});

test.each([
  ['holdfast', 'order.placed:536365'],
  ["it's", 'grün \\ 😀'],
])('the identity of (%s, %s) is the same in both engines', async (source, id) => {
  expect(await valueFrom(uid(quote(source), quote(id)))).toBe(eventUid(source, id));
});

describe('the catalogue refuses the same events in SQL as in recordEvents', () => {
  const at = new Date('2026-01-01T00:00:00Z');
  const terms = {
    source: 's',
    batchId: '01a203a5-361b-7000-b1b0-b6d6abb6fd70',
    now: at,
    latestMs: at.getTime(),
    names: {},
  };

  test.each<[string, object, number | null]>([
    ['session.started', {}, null],
    ['session.started', { device: 'web' }, null],
    ['session.started', { device: '' }, null],
    ['session.started', { device: 7 }, null],
    ['session.ended', {}, 60],
    ['session.ended', {}, null],
    ['session.ended', {}, 86_401],
    ['session.ended', {}, -1],
    ['feature.used', { feature: 'export' }, null],
    ['feature.used', {}, null],
    ['feature.used', { feature: null }, null],
    ['feature.used', { feature: 'x'.repeat(200) }, null],
    ['feature.used', { feature: 'ü'.repeat(201) }, null],
    ['feature.used', { nested: { feature: 'x' } }, null],
    ['ticket.solved', { ticketId: 't1' }, null],
    ['ticket.solved', { ticketId: 't1' }, 6],
    ['survey.answered', { kind: 'NPS' }, 10],
    ['survey.answered', { kind: 'XYZ' }, 10],
    ['survey.answered', {}, 11],
    ['review.given', { url: 'u'.repeat(2_000) }, 5],
    ['review.given', { url: 'u'.repeat(2_001) }, 5],
    ['order.placed', {}, null],
    ['a name of my own', { feature: 7 }, -5],
  ])('%s %j %s', async (name, properties, value) => {
    const input = { id: '1', name, at, customerExternalId: 'c', value, properties };
    const refused = prepareEvent(input, 0, terms) instanceof DomainError;
    const columns = [
      `${quote(name)} AS name`,
      `${quote(JSON.stringify(properties))} AS properties`,
      `CAST(${value ?? 'NULL'}, 'Nullable(Decimal(20, 6))') AS value`,
      `'' AS currency`,
    ];
    const broken = catalogueRules().map((rule) => `ifNull(toBool(${rule.broken}), false)`);
    const [row] = await analytics.query<{ refused: boolean }>(
      `SELECT ${broken.join(' OR ')} AS refused FROM (SELECT ${columns.join(', ')})`,
    );
    expect(row?.refused).toBe(refused);
  });
});
