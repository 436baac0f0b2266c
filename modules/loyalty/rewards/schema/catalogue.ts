import DataLoader from 'dataloader';
import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  decodeGlobalId,
  domainError,
  encodeGlobalId,
  mutationField,
  pageOf,
  perOperation,
} from '../../../../src/core/builder/index.ts';
import { IdempotencyConflict, InvalidInput } from '../../../../src/core/errors.ts';
import type { TierTypes } from '../../schema/tiers.ts';
import { RewardNotFound } from '../errors.ts';
import type { RewardRow } from '../queries-rewards.ts';
import type { CatalogueQuestion, RewardsService } from '../service.ts';

const READ = 'loyalty:read';

/** The UUID behind a global id of a type. @throws InvalidInput */
export function idOf(globalId: string, type: string, field: string): string {
  const { typename, id } = decodeGlobalId(globalId);
  if (typename === type) return id;
  throw new InvalidInput(`This is the id of a ${typename}; give the id of a ${type}.`, { path: [field] });
}

/** `Reward`, `Query.rewards` and `Query.reward`. */
export function catalogueTypes(builder: Builder, service: RewardsService, tiers: TierTypes) {
  const Kind = builder.enumType('RewardKind', {
    description: 'What a reward is.',
    values: {
      VOUCHER: { description: 'A voucher, used by its code.' },
      DISCOUNT: { description: 'A discount, taken by its code.' },
      GOODS: { description: 'Something that is sent or handed out.' },
      SERVICE: { description: 'Something that is done for the customer, e.g. a training.' },
    } as const,
  });
  const Reward = builder.objectRef<RewardRow>('Reward');
  const loader = perOperation(() => new DataLoader((ids: readonly string[]) => service.rewardsByIds(ids)));
  builder.node(Reward, {
    description: 'Something that points can be exchanged for.',
    id: { resolve: (reward) => reward.id, description: 'The global id.' },
    authScopes: { scope: READ },
    loadOne: (id, context) => loader(context).load(String(id)),
    isTypeOf: (value) => value !== null && typeof value === 'object' && 'voucherLifetimeDays' in value,
    fields: (t) => ({
      name: t.exposeString('name', { description: 'For people.' }),
      description: t.exposeString('description', { description: 'For people, in more words; may be empty.' }),
      kind: t.field({ type: Kind, description: 'What it is.', resolve: (reward) => reward.kind }),
      cost: t.expose('cost', { type: 'SafeInt', description: 'Points for one.' }),
      stock: t.exposeInt('stock', { nullable: true, description: 'How many are left; null: no limit.' }),
      lowStockAt: t.exposeInt('lowStockAt', {
        nullable: true,
        description: 'The stock at or below which rewardStockLow is told; null: never.',
      }),
      lowestTier: t.field({
        type: tiers.Tier,
        description: 'The lowest tier that may have it.',
        resolve: (reward, _args, context) => tiers.byKey(context, reward.lowestTier),
      }),
      validFrom: t.expose('validFrom', {
        type: 'DateTime',
        nullable: true,
        description: 'First instant at which it can be redeemed; null: always could.',
      }),
      validUntil: t.expose('validUntil', {
        type: 'DateTime',
        nullable: true,
        description: 'First instant at which it no longer can; null: no end.',
      }),
      limitPerCustomer: t.exposeInt('limitPerCustomer', {
        nullable: true,
        description: 'How many one customer may have in all; cancelled and expired ones do not count. Null: no limit.',
      }),
      voucherLifetimeDays: t.exposeInt('voucherLifetimeDays', {
        nullable: true,
        description: 'Days after which an open redemption expires; null: never.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it came into the catalogue.' }),
      updatedAt: t.expose('updatedAt', {
        type: 'DateTime',
        description: 'When something was last said of it; redemptions do not count.',
      }),
      archivedAt: t.expose('archivedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was taken out of the catalogue; null while it is active.',
      }),
    }),
  });

  const Filter = builder.inputType('RewardFilter', {
    description: 'Which rewards to list.',
    fields: (t) => ({
      kinds: t.field({ type: [Kind], description: 'Only of these kinds.' }),
      archived: t.boolean({ description: 'Only archived ones, or only active ones; both when left out.' }),
      availableTo: t.id({
        description:
          'Id of a customer: only what this customer could redeem now, by time, stock, tier and limit. Who is no member can redeem nothing.',
      }),
      affordable: t.boolean({
        description: 'With `availableTo`: only what the points of the customer are enough for.',
      }),
    }),
  });
  const questionOf = (filter: typeof Filter.$inferInput | null | undefined): CatalogueQuestion => {
    const customer = filter?.availableTo ?? null;
    const affordable = filter?.affordable ?? false;
    if (customer === null && affordable) {
      throw new InvalidInput('"affordable" needs "availableTo": to whom?', { path: ['filter', 'affordable'] });
    }
    const availableTo =
      customer === null ? null : { customerId: idOf(String(customer), 'Customer', 'availableTo'), affordable };
    return { kinds: filter?.kinds ?? null, archived: filter?.archived ?? null, availableTo };
  };
  const Rewards = connectionType(builder, { name: 'Reward', node: Reward, totalCount: true });
  builder.queryField('rewards', (t) =>
    t.field({
      type: Rewards,
      description: 'The catalogue of rewards, the cheapest first.',
      authScopes: { scope: READ },
      args: { ...connectionArgs(t.arg), filter: t.arg({ type: Filter, description: 'Which; all when left out.' }) },
      complexity: ({ first }) => ({ field: 5, multiplier: first ?? 20 }),
      resolve: async (_root, { first, after, filter }) => {
        const limit = checkFirst(first);
        const key = after === null || after === undefined ? null : decodeCursor(after, 2);
        const question = questionOf(filter);
        const behind = key === null ? null : { cost: Number(key[0]), id: idOf(String(key[1]), 'Reward', 'after') };
        const rows = await service.rewards(question, { limit: limit + 1, after: behind });
        return pageOf(rows, {
          first: limit,
          after,
          cursorOf: (row) => [row.cost, encodeGlobalId('Reward', row.id)],
          totalCount: () => service.countRewards(question),
        });
      },
    }),
  );
  builder.queryField('reward', (t) =>
    t.field({
      type: Reward,
      nullable: true,
      description: 'A reward by its id, archived or not; null when there is none.',
      authScopes: { scope: READ },
      args: { id: t.arg.id({ required: true, description: 'Id of a Reward.' }) },
      resolve: (_root, { id }, context) => loader(context).load(idOf(String(id), 'Reward', 'id')),
    }),
  );
  return { Reward, Kind, loader };
}

export type CatalogueTypes = ReturnType<typeof catalogueTypes>;

/** The mutations of the catalogue. */
export function catalogueMutations(
  builder: Builder,
  service: RewardsService,
  tiers: TierTypes,
  { Reward, Kind }: CatalogueTypes,
): void {
  domainError(builder, RewardNotFound, 'There is no such reward.');
  const payload = (name: string, description: string) =>
    builder.objectRef<{ readonly reward: RewardRow }>(name).implement({
      description,
      fields: (t) => ({
        reward: t.field({ type: Reward, description: 'The reward as it is now.', resolve: (answer) => answer.reward }),
      }),
    });
  const scope = 'loyalty:catalogue';

  const CreateInput = builder.inputType('CreateRewardInput', {
    description: 'A reward for the catalogue.',
    fields: (t) => ({
      idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: 'Your name of this request.' }),
      name: t.string({ required: true, description: 'For people; at most 200 characters.' }),
      description: t.string({ description: 'For people, in more words; at most 5,000 characters.' }),
      kind: t.field({ type: Kind, required: true, description: 'What it is.' }),
      cost: t.field({ type: 'PositiveInt', required: true, description: 'Points for one.' }),
      stock: t.field({ type: 'NonNegativeInt', description: 'How many there are; no limit when left out.' }),
      lowStockAt: t.field({ type: 'NonNegativeInt', description: 'The stock at or below which to tell.' }),
      lowestTier: t.field({ type: tiers.Key, description: 'The lowest tier that may have it; Bronze when left out.' }),
      validFrom: t.field({ type: 'DateTime', description: 'First instant at which it can be redeemed.' }),
      validUntil: t.field({ type: 'DateTime', description: 'First instant at which it no longer can.' }),
      limitPerCustomer: t.field({ type: 'PositiveInt', description: 'How many one customer may have in all.' }),
      voucherLifetimeDays: t.field({
        type: 'PositiveInt',
        description: 'Days after which an open redemption expires, at most ten years; never when left out.',
      }),
    }),
  });
  mutationField(builder, 'createReward', {
    description: 'Puts a reward into the catalogue.',
    scope,
    input: CreateInput,
    payload: payload('CreateRewardSuccess', 'The reward is in the catalogue.'),
    errors: [IdempotencyConflict],
    resolve: async (input, context) => ({ reward: await service.createReward(context.call, input) }),
  });

  const ChangeInput = builder.inputType('ChangeRewardInput', {
    description: 'What to change of a reward. What is left out stays as it is; null takes a limit away.',
    fields: (t) => ({
      rewardId: t.globalID({ required: true, for: Reward, description: 'Which one.' }),
      name: t.string({ description: 'For people; at most 200 characters.' }),
      description: t.string({ description: 'For people, in more words; at most 5,000 characters.' }),
      kind: t.field({ type: Kind, description: 'What it is.' }),
      cost: t.field({ type: 'PositiveInt', description: 'Points for one; redemptions made before keep their price.' }),
      stock: t.field({ type: 'NonNegativeInt', description: 'How many are left; null: no limit.' }),
      addStock: t.int({
        description:
          'Units that came in, or went out when negative, instead of `stock`: right beside redemptions under way.',
      }),
      lowStockAt: t.field({ type: 'NonNegativeInt', description: 'The stock at or below which to tell; null: never.' }),
      lowestTier: t.field({ type: tiers.Key, description: 'The lowest tier that may have it.' }),
      validFrom: t.field({ type: 'DateTime', description: 'First instant at which it can be redeemed.' }),
      validUntil: t.field({ type: 'DateTime', description: 'First instant at which it no longer can.' }),
      limitPerCustomer: t.field({ type: 'PositiveInt', description: 'How many one customer may have in all.' }),
      voucherLifetimeDays: t.field({
        type: 'PositiveInt',
        description: 'Days after which redemptions made from now on expire; null: never.',
      }),
    }),
  });
  mutationField(builder, 'changeReward', {
    description: 'Changes a reward. Redemptions made before stay as they are.',
    scope,
    input: ChangeInput,
    payload: payload('ChangeRewardSuccess', 'The reward is as it was asked for.'),
    errors: [RewardNotFound],
    resolve: async (input, context) => ({
      reward: await service.changeReward(context.call, { ...input, rewardId: input.rewardId.id }),
    }),
  });

  const ArchiveInput = builder.inputType('ArchiveRewardInput', {
    description: 'A reward to be taken out of the catalogue, or up again.',
    fields: (t) => ({
      rewardId: t.globalID({ required: true, for: Reward, description: 'Which one.' }),
      archived: t.boolean({
        description: 'True, or left out: nobody can redeem it any more. False: it is active again.',
      }),
    }),
  });
  mutationField(builder, 'archiveReward', {
    description: 'Takes a reward out of the catalogue, or up again. Redemptions made before go on.',
    scope,
    input: ArchiveInput,
    payload: payload('ArchiveRewardSuccess', 'The reward is as it was asked for.'),
    errors: [RewardNotFound],
    resolve: async ({ rewardId, archived }, context) => ({
      reward: await service.archiveReward(context.call, { rewardId: rewardId.id, archived: archived ?? true }),
    }),
  });
}
