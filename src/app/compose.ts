import type { GraphQLSchema } from 'graphql';
import type { ScopeDefinition } from '../core/access/principal.ts';
import { type Builder, createBuilder, finishSchema } from '../core/builder/index.ts';
import { createEventRegistry, type EventRegistry, type HandlerDefinition } from '../core/events/index.ts';
import type { JobDefinition } from '../core/jobs.ts';
import type { Infrastructure, Module } from '../core/module.ts';
import { BUSINESS, BUSINESS_CLOCK } from '../core/settings/index.ts';
import { settingsSchema } from '../core/settings/schema.ts';

/** Holdfast put together: what the modules declare, gathered. */
export interface Composition {
  readonly modules: readonly Module[];
  readonly registry: EventRegistry;
  readonly scopes: readonly ScopeDefinition[];
  readonly handlers: readonly HandlerDefinition[];
  readonly jobs: readonly JobDefinition[];
  /** @param order of the modules, to prove that it does not matter */
  buildSchema(order?: (modules: readonly Module[]) => readonly Module[]): GraphQLSchema;
}

/** Scopes that belong to no module. */
const CORE_SCOPES: readonly ScopeDefinition[] = [
  { name: 'admin', description: 'Everything.' },
  { name: 'settings:read', description: 'Read settings and their history.' },
  { name: 'settings:write', description: 'Change settings.' },
  { name: 'keys:manage', description: 'Make, list and revoke API keys.' },
  { name: 'operations:read', description: 'See dead letters, backlogs and statement counts.' },
  { name: 'operations:write', description: 'Retry or dismiss dead letters.' },
];

/** The one list of modules. Ports are plain constants in order, so that a circle cannot be written. */
export function compose(infra: Infrastructure) {
  const modules: Module[] = [];
  infra.settings.declare([BUSINESS, BUSINESS_CLOCK, ...modules.flatMap((module) => module.settings ?? [])]);
  const registry = createEventRegistry(modules.flatMap((module) => module.events ?? []));
  const core = (builder: Builder) => {
    settingsSchema(infra.settings, infra.clock)(builder);
  };
  const composition: Composition = {
    modules,
    registry,
    scopes: [...CORE_SCOPES, ...modules.flatMap((module) => module.scopes ?? [])],
    handlers: modules.flatMap((module) => module.handlers ?? []),
    jobs: modules.flatMap((module) => module.jobs ?? []),
    buildSchema(order = (all) => all) {
      const builder = createBuilder({ prisma: infra.database.prisma });
      core(builder);
      for (const module of order(modules)) module.schema?.(builder);
      return finishSchema(builder);
    },
  };
  return composition;
}
