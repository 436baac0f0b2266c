import type { ScopeDefinition } from './access/principal.ts';
import type { Analytics } from './analytics/types.ts';
import type { Builder } from './builder/index.ts';
import type { Clock } from './clock.ts';
import type { Database } from './database/index.ts';
import type { EventDefinition, HandlerDefinition } from './events/index.ts';

import type { JobDefinition } from './jobs.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { SettingDefinition, Settings } from './settings/index.ts';

/** What a module stands on: the same for all of them. */
export interface Infrastructure {
  readonly database: Database;
  readonly analytics: Analytics;
  readonly settings: Settings;
  /** The business's time; for whatever a customer or a report would see. */
  readonly clock: Clock;
  /** The machine's time; for leases, retries, expiry of keys, and retention. */
  readonly systemClock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Folder for uploads, rejects files and exports. */
  readonly dataFolder: string;
}

/** What a module is: its `index.ts` reads like a table of contents. */
export interface Module<Service = unknown> {
  readonly name: string;
  /** What the module does when asked now; other modules see only the ports of its contract. */
  readonly service: Service;
  readonly settings?: readonly SettingDefinition[];
  readonly events?: readonly EventDefinition[];
  readonly scopes?: readonly ScopeDefinition[];
  readonly handlers?: readonly HandlerDefinition[];
  readonly jobs?: readonly JobDefinition[];
  /** Adds its types and fields, and its parts of the customer graph, to the API. */
  readonly schema?: (builder: Builder) => void;
  /** Lets go of what the module holds open, after its last work was done. */
  readonly close?: () => void;
}

/** Declares a module. @throws Error when a name does not begin with the module's own */
export function defineModule<Service>(module: Module<Service>): Module<Service> {
  const prefix = `${module.name}.`;
  const named = [
    ...(module.events ?? []).map((event) => event.type),
    ...(module.handlers ?? []).map((handler) => handler.name),
    ...(module.jobs ?? []).map((job) => job.name),
  ];
  for (const name of named) {
    if (!name.startsWith(prefix))
      throw new Error(`module ${module.name} declares "${name}", which should begin with "${prefix}"`);
  }
  return module;
}
