import { type Builder, mutationField } from '../../../src/core/builder/index.ts';
import { customerRef, customerResolver } from '../../../src/core/graph/index.ts';
import { CustomerErased, CustomerNotFound, ExternalIdTaken } from '../errors.ts';
import type { CustomerService } from '../service.ts';

const SCOPE = 'customers:write';

interface Done {
  readonly customerId: string;
  readonly done: boolean;
}

/** Merging, renaming and erasing customers. Done again, each of them does nothing and says so. */
export function identityMutations(builder: Builder, service: CustomerService): void {
  const Customer = customerRef(builder);
  const MergeInput = builder.inputType('MergeCustomersInput', {
    description: 'Two records of one customer.',
    fields: (t) => ({
      fromId: t.globalID({
        required: true,
        for: Customer,
        description: 'The one that ends; its ids keep leading to the other.',
      }),
      intoId: t.globalID({
        required: true,
        for: Customer,
        description: 'The one that lives on; what it says itself holds.',
      }),
    }),
  });
  const RenameInput = builder.inputType('RenameCustomerInput', {
    description: 'Another external id of a customer.',
    fields: (t) => ({
      customerId: t.globalID({ required: true, for: Customer, description: 'The customer.' }),
      externalId: t.string({
        required: true,
        description: 'The new one; the former one keeps leading to the customer.',
      }),
    }),
  });
  const EraseInput = builder.inputType('EraseCustomerInput', {
    description: 'A customer to forget.',
    fields: (t) => ({ customerId: t.globalID({ required: true, for: Customer, description: 'The customer.' }) }),
  });

  const success = (name: string, description: string, flag: string, flagDescription: string) =>
    builder.objectRef<Done>(name).implement({
      description,
      fields: (t) => ({
        customer: t.field({
          type: 'Customer',
          nullable: true,
          description: 'The customer as it stands now.',
          resolve: customerResolver(builder, (answer: Done) => answer.customerId),
        }),
        [flag]: t.boolean({ description: flagDescription, resolve: (answer) => answer.done }),
      }),
    });

  mutationField(builder, 'mergeCustomers', {
    description: 'Makes two customers one: records, history, points and messages of the one become those of the other.',
    scope: SCOPE,
    input: MergeInput,
    payload: success(
      'MergeCustomersSuccess',
      'The customer that lives on.',
      'merged',
      'False when it had been done before.',
    ),
    errors: [CustomerNotFound, CustomerErased],
    async resolve({ fromId, intoId }, context) {
      const input = { fromId: fromId.id, intoId: intoId.id };
      const { customerId, merged } = await service.mergeCustomers(context.call, input);
      return { customerId, done: merged };
    },
  });
  mutationField(builder, 'renameCustomer', {
    description: 'Gives a customer another external id.',
    scope: SCOPE,
    input: RenameInput,
    payload: success(
      'RenameCustomerSuccess',
      'The customer with its new name.',
      'renamed',
      'False when it had that name already.',
    ),
    errors: [CustomerNotFound, CustomerErased, ExternalIdTaken],
    async resolve({ customerId: { id }, externalId }, context) {
      const { customerId, renamed } = await service.renameCustomer(context.call, { id, externalId });
      return { customerId, done: renamed };
    },
  });
  const Erased = builder.objectRef<Done>('EraseCustomerSuccess').implement({
    description:
      'The personal data is gone from the records; within minutes also from the history and what other modules keep.',
    fields: (t) => ({
      erased: t.boolean({ description: 'False when it had been done before.', resolve: (answer) => answer.done }),
    }),
  });
  mutationField(builder, 'eraseCustomer', {
    description:
      'Removes the personal data of a customer for good. Sums and counts stay, without a name. The customer is found no more.',
    scope: SCOPE,
    input: EraseInput,
    payload: Erased,
    errors: [CustomerNotFound],
    async resolve({ customerId: { id } }, context) {
      const { customerId, erased } = await service.eraseCustomer(context.call, { id });
      return { customerId, done: erased };
    },
  });
}
