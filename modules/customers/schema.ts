import type { Builder } from '../../src/core/builder/index.ts';
import { customerFields } from './schema/customer.ts';
import { eventCustomer } from './schema/events.ts';
import { identityMutations } from './schema/identity.ts';
import { recordTypes } from './schema/records.ts';
import { streamSchema } from './schema/stream.ts';
import { declareErrors, upsertMutations } from './schema/upserts.ts';
import type { CustomerService } from './service.ts';

/** The customers' part of the API; the graph itself is declared by `index.ts`, which knows the table. */
export const customersSchema =
  (service: CustomerService) =>
  (builder: Builder): void => {
    declareErrors(builder);
    const types = recordTypes(builder, service);
    customerFields(builder, service, types);
    upsertMutations(builder, service, types);
    identityMutations(builder, service);
    streamSchema(builder, service);
    eventCustomer(builder);
  };
