import DataLoader from 'dataloader';
import {
  type Builder,
  connectionArgs,
  connectionType,
  encodeGlobalId,
  perOperation,
} from '../../../../src/core/builder/index.ts';
import { customerResolver, nestedPartField } from '../../../../src/core/graph/index.ts';
import type { AccountTypes } from '../../ledger/schema/account.ts';
import { showVoucherCode } from '../domain/voucher.ts';
import { redemptionName } from '../inputs.ts';
import { type RedemptionShape, redemptionsPart } from '../parts.ts';
import type { RewardsService } from '../service.ts';
import { type CatalogueTypes, idOf } from './catalogue.ts';

const READ = 'loyalty:read';

/** `RewardRedemption`, `Query.redemption` and `LoyaltyAccount.redemptions`. */
export function redemptionTypes(
  builder: Builder,
  service: RewardsService,
  { Reward, loader: rewards }: CatalogueTypes,
  { Account }: AccountTypes,
) {
  const State = builder.enumType('RedemptionState', {
    description: 'Where a redemption stands. From OPEN it goes to one of the others, and stays there.',
    values: {
      OPEN: { description: 'The points are held; the voucher can be used.' },
      FULFILLED: { description: 'The voucher was used, or what it stands for was handed out: the points are gone.' },
      CANCELLED: { description: 'Points and stock went back.' },
      EXPIRED: { description: 'It was not used in time: the stock went back, and the points did or were forfeited.' },
    } as const,
  });
  const PointsState = builder.enumType('RedemptionPointsState', {
    description: 'Where the points of a redemption are.',
    values: {
      HELD: { description: 'Set aside: they cannot be spent otherwise.' },
      TAKEN: { description: 'Gone.' },
      RETURNED: { description: 'Back in the account.' },
    } as const,
  });
  const loader = perOperation(() => new DataLoader((ids: readonly string[]) => service.redemptionsByIds(ids)));
  const Redemption = builder.objectRef<RedemptionShape>('RewardRedemption');
  builder.node(Redemption, {
    description: 'Points exchanged for a reward.',
    id: { resolve: (redemption) => redemption.id, description: 'The global id.' },
    authScopes: { scope: READ },
    loadOne: (id, context) => loader(context).load(String(id)),
    isTypeOf: (value) => value !== null && typeof value === 'object' && 'pointsState' in value,
    fields: (t) => ({
      reward: t.field({
        type: Reward,
        description: 'What for, as the catalogue has it now.',
        resolve: async ({ rewardId }, _args, context) => {
          const reward = await rewards(context).load(rewardId);
          if (reward === null) throw new Error(`the reward ${rewardId} is gone`);
          return reward;
        },
      }),
      customer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'Whose it is; null once the customer was erased.',
        resolve: customerResolver(builder, (redemption: RedemptionShape) => redemption.customerId),
      }),
      quantity: t.exposeInt('quantity', { description: 'How many.' }),
      points: t.expose('points', { type: 'SafeInt', description: 'Points for all of them.' }),
      state: t.field({ type: State, description: 'Where it stands.', resolve: (r) => r.state }),
      pointsState: t.field({ type: PointsState, description: 'Where the points are.', resolve: (r) => r.pointsState }),
      voucherCode: t.string({
        nullable: true,
        description:
          'The code that stands for it, in five groups of five; its last letter confirms the others. As good as money, so it has a scope of its own. Null once the customer was erased.',
        authScopes: { scope: 'loyalty:redeem' },
        resolve: (r) => (r.voucherCode === null ? null : showVoucherCode(r.voucherCode)),
      }),
      entryId: t.id({
        description: 'The entry of the ledger that holds the points.',
        resolve: (r) => encodeGlobalId('LedgerEntry', r.entryId),
      }),
      redeemedAt: t.expose('redeemedAt', { type: 'DateTime', description: 'When it was made.' }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'First instant at which it can no longer be used; null: no end.',
      }),
      closedAt: t.expose('closedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was fulfilled, cancelled or expired; null while it is open.',
      }),
      reason: t.exposeString('reason', { nullable: true, description: 'Why it was closed, in the words of who did.' }),
    }),
  });

  nestedPartField(builder, Account, redemptionsPart, 'redemptions', {
    type: connectionType(builder, { name: 'RewardRedemption', node: Redemption }),
    description: 'What points were exchanged for, newest first.',
    args: (arg) => connectionArgs(arg),
  });
  builder.queryField('redemption', (t) =>
    t.field({
      type: Redemption,
      nullable: true,
      description:
        'A redemption by its id or its voucher code; null when there is none. A code that was mistyped is an error of its own.',
      authScopes: { scope: READ },
      args: {
        id: t.arg.id({ description: 'Id of a RewardRedemption.' }),
        voucherCode: t.arg.string({ description: 'Its code; case, blanks and hyphens do not matter.' }),
      },
      resolve: (_root, { id, voucherCode }) => {
        const uuid = id === null || id === undefined ? null : idOf(String(id), 'RewardRedemption', 'id');
        return service.redemption(redemptionName(uuid, voucherCode ?? null));
      },
    }),
  );
  return { Redemption, State, PointsState, redemptions: loader };
}

export type RedemptionTypes = ReturnType<typeof redemptionTypes>;
