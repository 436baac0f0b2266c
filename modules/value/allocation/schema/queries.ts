import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  pageOf,
} from '../../../../src/core/builder/index.ts';
import type { AllocationService } from '../service.ts';
import type { AllocationRow } from '../store.ts';
import { type AllocationTypes, cursorId } from './allocation.ts';
import { SCOPE } from './lift.ts';

/** Declares `Query.allocation` and `Query.allocations`. */
export function allocationQueries(
  builder: Builder,
  service: AllocationService,
  { Allocation, State }: AllocationTypes,
) {
  builder.queryField('allocation', (t) =>
    t.field({
      type: Allocation,
      nullable: true,
      description: 'A plan or campaign by its id; null when there is none.',
      authScopes: { scope: SCOPE },
      args: { id: t.arg.globalID({ required: true, for: Allocation, description: 'Its global id.' }) },
      resolve: (_root, { id }) => service.find(id.id),
    }),
  );
  builder.queryField('allocations', (t) =>
    t.field({
      type: connectionType<AllocationRow>(builder, { name: 'Allocation', node: Allocation, totalCount: true }),
      description: 'Plans and campaigns, the newest first.',
      authScopes: { scope: SCOPE },
      args: {
        ...connectionArgs(t.arg),
        states: t.arg({ type: [State], description: 'Only those in these states; all when left out.' }),
      },
      complexity: ({ first }) => ({ field: 2, multiplier: first ?? 20 }),
      resolve: async (_root, { first, after, states }) => {
        const limit = checkFirst(first) + 1;
        const before = after == null ? null : cursorId(decodeCursor(after, 1)[0]);
        const rows = await service.list({ states: states ?? null, before, limit });
        return pageOf(rows, {
          first,
          after,
          cursorOf: (plan) => [plan.id],
          totalCount: () => service.count(states ?? null),
        });
      },
    }),
  );
}
