import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ worker: false });
});
afterAll(async () => {
  await app.close();
});

const CHANGE = /* GraphQL */ `
  mutation Change($input: ChangeSettingInput!) {
    changeSetting(input: $input) {
      __typename
      ... on ChangeSettingSuccess { setting { key version value history { version value actor } } }
      ... on DomainError { code message path }
    }
  }
`;
const change = (key: string, value: unknown) =>
  app
    .query<{ changeSetting: Record<string, unknown> }>(CHANGE, { input: { key, value } })
    .then((data) => data.changeSetting);

describe('settings', () => {
  test('all of them are listed with default and description', async () => {
    const { settings } = await app.query<{
      settings: readonly { key: string; description: string; version: number }[];
    }>('query All { settings { key description version default value } }');
    const keys = settings.map((setting) => setting.key);
    expect(keys).toEqual([...keys].sort());
    expect(keys).toEqual(
      expect.arrayContaining([
        'business.profile',
        'business.clock',
        'risk.health',
        'churn.inactivity',
        'events.retentionDays',
      ]),
    );
    expect(settings.every((setting) => setting.description.length > 20 && setting.version === 0)).toBe(true);
  });

  test('a change is versioned, audited and in force', async () => {
    await change('churn.inactivity', { days: 60 });
    const changed = await change('churn.inactivity', { days: 45 });
    expect(changed).toMatchObject({
      setting: {
        version: 2,
        value: { days: 45 },
        history: [
          { version: 2, value: { days: 45 } },
          { version: 1, value: { days: 60 } },
        ],
      },
    });
    const audited = await app.app.infra.database.query(
      `select action, subject, detail from audit_entry where action = 'settings.change' order by at, id`,
    );
    expect(audited).toEqual([
      { action: 'settings.change', subject: 'churn.inactivity', detail: { from: { days: 90 }, to: { days: 60 } } },
      { action: 'settings.change', subject: 'churn.inactivity', detail: { from: { days: 60 }, to: { days: 45 } } },
    ]);
  });

  test.each([
    ['no.such', 1, { __typename: 'UnknownSetting', code: 'CORE_UNKNOWN_SETTING', path: ['key'] }],
    [
      'churn.inactivity',
      { days: 0 },
      { __typename: 'InvalidInput', code: 'CORE_INVALID_INPUT', path: ['value', 'days'] },
    ],
    ['churn.inactivity', { days: 'x' }, { __typename: 'InvalidInput', path: ['value', 'days'] }],
    ['business.profile', { reportingCurrency: 'XXQ' }, { __typename: 'InvalidInput' }],
    ['risk.indicators', 7, { __typename: 'InvalidInput', path: ['value'] }],
  ])('%s does not take %j', async (key, value, expected) => {
    expect(await change(key, value)).toMatchObject(expected);
  });

  test('fifty changes at once get fifty versions', async () => {
    await Promise.all(
      Array.from({ length: 50 }, (_, day) =>
        change('risk.usage', { activeDays: (day % 30) + 1, activeDaysByPlan: {}, features: null, featuresByPlan: {} }),
      ),
    );
    const rows = await app.app.infra.database.query<{ version: number }>(
      `select version from setting_version where key = 'risk.usage' order by version`,
    );
    expect(rows.map((row) => row.version)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  test('the business shows what time it is for it', async () => {
    await change('business.clock', { mode: 'demo', startsAt: '2011-12-10T00:00:00Z', setAt: new Date().toISOString() });
    const { business } = await app.query<{ business: { now: string; demoClock: boolean } }>(
      'query Now { business { now demoClock } }',
    );
    expect(business.demoClock).toBe(true);
    expect(business.now).toMatch(/^2011-12-10T00:0/);
  });
});
