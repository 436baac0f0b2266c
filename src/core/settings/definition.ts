import type { z } from 'zod';

/** Something an operator may change: typed, with a default, described, versioned in the database. */
export interface SettingDefinition<T = unknown> {
  /** `module.name`, stable. */
  readonly key: string;
  readonly description: string;
  readonly schema: z.ZodType<T>;
  readonly default: T;
}

/** Declares a setting; the default must itself be valid. */
export function defineSetting<T>(definition: SettingDefinition<T>): SettingDefinition<T> {
  definition.schema.parse(definition.default);
  return definition;
}
