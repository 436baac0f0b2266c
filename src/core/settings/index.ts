export { BUSINESS, BUSINESS_CLOCK, businessClock } from './business.ts';
export { defineSetting, type SettingDefinition } from './definition.ts';
export { createSettings, type SettingInForce, type Settings, type SettingVersion } from './settings.ts';
