import type { Builder } from '../../src/core/builder/index.ts';
import { customerGraph } from '../../src/core/graph/index.ts';
import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import { customerEvents } from './events.ts';
import { customerHandlers } from './handlers.ts';
import { imports } from './imports/index.ts';
import { customerJobs } from './jobs.ts';
import { COUNT_SQL, FORMER_NAMES } from './queries/facts.ts';
import { customersSchema } from './schema.ts';
import { createCustomerService } from './service.ts';
import { customerSettings } from './settings.ts';

/** Who the customers are and what they do: records, the event stream, imports. */
export function customers(infra: Infrastructure) {
  const files = imports(infra);
  const service = { ...createCustomerService(infra), imports: files.service };
  const schema = customersSchema(service);
  return defineModule({
    name: 'customers',
    service,
    settings: [...customerSettings, ...files.settings],
    events: [...customerEvents, ...files.events],
    scopes: [
      { name: 'customers:read', description: 'Read customers and their records.' },
      { name: 'customers:write', description: 'Create, change, merge, rename and erase customers and their records.' },
      { name: 'events:read', description: 'Read what customers did, and follow domain events.' },
      { name: 'events:write', description: 'Record events of the stream.' },
      ...files.scopes,
    ],
    handlers: customerHandlers,
    jobs: [...customerJobs(infra), ...files.jobs],
    schema(builder: Builder) {
      customerGraph(builder, {
        database: infra.database,
        table: {
          table: 'customer',
          visible: (customer) => `${customer}.erased_at is null`,
          totalSql: COUNT_SQL,
          former: FORMER_NAMES,
        },
        description: 'An account of the business: a company or, in a shop, a person.',
        scope: 'customers:read',
        keys: {
          externalId: { column: 'external_id', description: 'Your own id of the customer, now or in former days.' },
        },
      });
      schema(builder);
      files.schema(builder);
    },
  });
}
