import type { FieldNode, GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import type { Builder } from '../../../../src/core/builder/index.ts';
import { IdempotencyConflict, Overloaded, RequestInFlight } from '../../../../src/core/errors.ts';
import { loadPart } from '../../../../src/core/graph/index.ts';
import { AT_HAND, type TierTypes } from '../../schema/tiers.ts';
import type { Posted } from '../commands.ts';
import { type AccountShape, loyaltyPart } from '../parts.ts';
import type { AccountTypes } from './account.ts';

/** What every mutation with an idempotency key may answer. */
export const REPEATABLE = [IdempotencyConflict, RequestInFlight, Overloaded] as const;

const shapeOf = ({ account }: Posted): AccountShape => ({
  ...account,
  tierKey: account.tier,
  points: account.balance,
});

/** Declares the answers to mutations that move points: each has a type of its own, all of them look alike. */
export function payloads(builder: Builder, tiers: TierTypes, { Account, Entry }: AccountTypes) {
  /** The account as this answer left it; only what is a part of its own is read, and only when it is selected. */
  const accountOf = async (posted: Posted, context: Parameters<typeof loadPart>[1], info: GraphQLResolveInfo) => {
    const shape = shapeOf(posted);
    if (!selectsParts(info)) return shape;
    const loaded = await loadPart(builder, context, info, loyaltyPart, posted.account.customerId, {});
    return { ...loaded, ...shape };
  };
  return (name: string, description: string) =>
    builder.objectRef<Posted>(name).implement({
      description,
      fields: (t) => ({
        entry: t.field({
          type: Entry,
          complexity: AT_HAND,
          description: 'The line written to the ledger.',
          resolve: (posted) => posted.entry,
        }),
        account: t.field({
          type: Account,
          complexity: AT_HAND,
          description: 'The account as this left it.',
          resolve: (posted, _args, context, info) => accountOf(posted, context, info),
        }),
        tierChange: t.field({
          type: tiers.TierChange,
          complexity: AT_HAND,
          nullable: true,
          description: 'The move to another tier; null when the tier stayed.',
          resolve: (posted) => posted.tierChange,
        }),
        replayed: t.exposeBoolean('replayed', {
          description: 'Whether the key was used before with this input: then this is the first answer again.',
        }),
      }),
    });
}

export type Payloads = ReturnType<typeof payloads>;

/** Fields of an account that are parts of their own. */
const PARTS: ReadonlySet<string> = new Set(['entries', 'score', 'journey']);

/** Whether one of them is selected below, directly or in a fragment. */
export function selectsParts(info: GraphQLResolveInfo): boolean {
  const within = (set: SelectionSetNode | undefined): boolean =>
    set?.selections.some((selection) => {
      if (selection.kind === 'Field') return PARTS.has(selection.name.value);
      if (selection.kind === 'InlineFragment') return within(selection.selectionSet);
      return within(info.fragments[selection.name.value]?.selectionSet);
    }) ?? false;
  return info.fieldNodes.some((node: FieldNode) => within(node.selectionSet));
}
