import type { Builder } from '../builder/index.ts';
import { domainError, mutationField } from '../builder/index.ts';
import type { Clock } from '../clock.ts';
import { UnknownSetting } from '../errors.ts';
import { BUSINESS, BUSINESS_CLOCK } from './business.ts';
import type { SettingInForce, Settings, SettingVersion } from './settings.ts';

const HISTORY_MAX = 100;

/** `settings`, `business`, `changeSetting`: what an operator may change, and what time it is for the business. */
export const settingsSchema = (settings: Settings, clock: Clock) => (builder: Builder) => {
  const Version = builder.objectRef<SettingVersion>('SettingVersion');
  Version.implement({
    description: 'A value an operator gave a setting.',
    fields: (t) => ({
      version: t.exposeInt('version', { description: 'Counts from 1.' }),
      value: t.field({ type: 'JSON', description: 'The value given.', resolve: (v) => v.value }),
      actor: t.exposeString('actor', { description: 'Who gave it.' }),
      changedAt: t.expose('changedAt', { type: 'DateTime', description: 'When.' }),
    }),
  });

  const Setting = builder.objectRef<SettingInForce>('Setting');
  Setting.implement({
    description: 'Something an operator may change, with the value in force.',
    fields: (t) => ({
      key: t.string({ description: 'Its stable name.', resolve: (s) => s.definition.key }),
      description: t.string({ description: 'What it does.', resolve: (s) => s.definition.description }),
      value: t.field({ type: 'JSON', description: 'The value in force.', resolve: (s) => s.value }),
      default: t.field({
        type: 'JSON',
        description: 'The value without any change.',
        resolve: (s) => s.definition.default,
      }),
      version: t.exposeInt('version', { description: 'How often it was changed; 0 means the default.' }),
      changedAt: t.expose('changedAt', { type: 'DateTime', nullable: true, description: 'When it was changed last.' }),
      history: t.field({
        type: [Version],
        description: 'Earlier values, newest first.',
        args: { first: t.arg.int({ required: true, defaultValue: 20, description: `How many, 1 to ${HISTORY_MAX}.` }) },
        resolve: (s, { first }) => settings.history(s.definition.key, Math.min(Math.max(first, 1), HISTORY_MAX)),
      }),
    }),
  });

  interface BusinessShape {
    readonly profile: typeof BUSINESS.default;
    readonly clock: typeof BUSINESS_CLOCK.default;
  }
  const Business = builder.objectRef<BusinessShape>('Business');
  Business.implement({
    description: 'The business this deployment serves.',
    fields: (t) => ({
      companyName: t.string({ description: 'Its name.', resolve: (b) => b.profile.companyName }),
      productName: t.string({ description: 'What its customers use.', resolve: (b) => b.profile.productName }),
      reportingCurrency: t.field({
        type: 'Currency',
        description: 'The currency reports are in.',
        resolve: (b) => b.profile.reportingCurrency,
      }),
      timeZone: t.string({ description: 'IANA time zone of its calendar months.', resolve: (b) => b.profile.timeZone }),
      now: t.field({ type: 'DateTime', description: 'What time it is for the business.', resolve: () => clock.now() }),
      demoClock: t.boolean({
        description: 'Whether that is a demo clock rather than real time.',
        resolve: (b) => b.clock.mode === 'demo',
      }),
    }),
  });

  builder.queryField('business', (t) =>
    t.field({
      type: Business,
      description: 'The business: its profile and its clock.',
      authScopes: { scope: 'any' },
      resolve: async () => ({ profile: await settings.get(BUSINESS), clock: await settings.get(BUSINESS_CLOCK) }),
    }),
  );
  builder.queryField('settings', (t) =>
    t.field({
      type: [Setting],
      description: 'All settings by key, with the values in force.',
      authScopes: { scope: 'settings:read' },
      resolve: () => settings.list(),
    }),
  );

  domainError(builder, UnknownSetting, 'No module declares a setting of this key.');
  const Input = builder.inputType('ChangeSettingInput', {
    description: 'A new value for a setting.',
    fields: (t) => ({
      key: t.string({ required: true, description: 'The key of the setting.' }),
      value: t.field({ type: 'JSON', required: true, description: 'The whole new value.' }),
    }),
  });
  const Success = builder.objectRef<{ readonly setting: SettingInForce }>('ChangeSettingSuccess');
  Success.implement({
    description: 'The setting was changed.',
    fields: (t) => ({ setting: t.expose('setting', { type: Setting, description: 'The setting as it is now.' }) }),
  });
  mutationField(builder, 'changeSetting', {
    description: 'Gives a setting a new value, which is checked, versioned and audited.',
    scope: 'settings:write',
    input: Input,
    payload: Success,
    errors: [UnknownSetting],
    resolve: async ({ key, value }, context) => ({
      setting: await settings.change(context.call, key, value),
    }),
  });
};
