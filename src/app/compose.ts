import type { GraphQLSchema } from 'graphql';
import { churn, churnPrediction } from '../../modules/churn/index.ts';
import { communication } from '../../modules/communication/index.ts';
import { customers } from '../../modules/customers/index.ts';
import { dashboard } from '../../modules/dashboard/index.ts';
import { loyalty } from '../../modules/loyalty/index.ts';
import { risk } from '../../modules/risk/index.ts';
import { value, withAllocation } from '../../modules/value/index.ts';
import { accessSchema, createKeyService, type ScopeDefinition } from '../core/access/index.ts';
import { type Builder, createBuilder, finishSchema } from '../core/builder/index.ts';
import { createDeadLetters } from '../core/events/dead-letters.ts';
import { createEventRegistry } from '../core/events/index.ts';
import { RETENTION_DAYS, retentionJob } from '../core/events/retention.ts';
import { eventsSchema } from '../core/events/schema.ts';
import { deadLettersSchema } from '../core/events/schema-dead-letters.ts';
import { IDEMPOTENCY_DAYS, idempotencyJob } from '../core/idempotency-retention.ts';
import type { Infrastructure, Module } from '../core/module.ts';
import { BUSINESS, BUSINESS_CLOCK } from '../core/settings/index.ts';
import { settingsSchema } from '../core/settings/schema.ts';

/** Scopes that belong to no module. */
const CORE_SCOPES: readonly ScopeDefinition[] = [
  { name: 'admin', description: 'Everything.' },
  { name: 'settings:read', description: 'Read settings and their history.' },
  { name: 'settings:write', description: 'Change settings.' },
  { name: 'keys:manage', description: 'Make, list and revoke API keys.' },
  { name: 'operations:read', description: 'See dead letters, backlogs and statement counts.' },
  { name: 'operations:write', description: 'Retry or dismiss dead letters.' },
];

/** What the world outside gives the modules, beside the engines. */
export interface Surroundings {
  /** Null when no mail server is set. */
  readonly smtp: Parameters<typeof communication>[2];
}

/** Holdfast put together: what the modules declare, gathered. */
export type Composition = ReturnType<typeof compose>;

/** The one list of modules. Ports are plain constants in order, so that a circle cannot be written. */
export function compose(infra: Infrastructure, { smtp }: Surroundings = { smtp: null }) {
  const { database, settings, systemClock, clock } = infra;
  const people = customers(infra);
  const ports = { customers: people.service };
  const worth = value(infra, ports);
  const predictions = churnPrediction(infra, { ...ports, value: worth.service });
  const points = loyalty(infra, { ...ports, churn: predictions.service, value: worth.service });
  const assessment = risk(infra, { ...ports, churn: predictions.service });
  const comings = churn(infra, { ...ports, health: assessment.service }, predictions);
  const budgets = withAllocation(infra, worth, { leaving: predictions.service, presence: comings.service });
  const mail = communication(infra, { ...ports, loyalty: points.service }, smtp);
  const overview = dashboard(infra, {
    ...ports,
    loyalty: points.service,
    risk: assessment.service,
    churn: comings.service,
  });
  const modules: readonly Module[] = [people, points, budgets, assessment, comings, mail, overview];

  settings.declare([
    BUSINESS,
    BUSINESS_CLOCK,
    RETENTION_DAYS,
    IDEMPOTENCY_DAYS,
    ...modules.flatMap((module) => module.settings ?? []),
  ]);
  const registry = createEventRegistry(modules.flatMap((module) => module.events ?? []));
  const scopes = [...CORE_SCOPES, ...modules.flatMap((module) => module.scopes ?? [])];
  const handlers = modules.flatMap((module) => module.handlers ?? []);
  const keys = createKeyService({ database, clock: systemClock, scopes });
  const deadLetters = createDeadLetters(database, registry, systemClock);
  const retention = retentionJob({
    database,
    settings,
    clock: systemClock,
    handlers: handlers.map((handler) => handler.name),
  });

  const coreSchemas: readonly ((builder: Builder) => void)[] = [
    settingsSchema(settings, clock),
    accessSchema(keys, scopes),
    eventsSchema(registry),
    deadLettersSchema(deadLetters),
  ];
  return {
    modules,
    services: {
      customers: people.service,
      loyalty: points.service,
      standing: points.standing,
      loyaltyReport: points.report,
      risk: assessment.service,
      churn: comings.service,
      churnPrediction: predictions.service,
      communication: mail.service,
      value: worth.service,
    },
    registry,
    scopes,
    handlers,
    jobs: [
      retention,
      idempotencyJob({ database, settings, clock: systemClock }),
      ...modules.flatMap((module) => module.jobs ?? []),
    ],
    keys,
    deadLetters,
    /** @param order of the modules, to prove that it does not matter */
    buildSchema(order: (modules: readonly Module[]) => readonly Module[] = (all) => all): GraphQLSchema {
      const builder = createBuilder({ prisma: database.prisma });
      for (const addTo of coreSchemas) addTo(builder);
      for (const module of order(modules)) module.schema?.(builder);
      return finishSchema(builder);
    },
  };
}
