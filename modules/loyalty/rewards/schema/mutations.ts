import { type Builder, domainError, mutationField } from '../../../../src/core/builder/index.ts';
import { IdempotencyConflict, Overloaded, RequestInFlight } from '../../../../src/core/errors.ts';
import { customerRef, loadPart } from '../../../../src/core/graph/index.ts';
import { CustomerNotFound } from '../../../customers/contract.ts';
import { InsufficientPoints, NotAMember } from '../../errors.ts';
import { loyaltyPart } from '../../ledger/parts.ts';
import type { AccountTypes } from '../../ledger/schema/account.ts';
import type { TierTypes } from '../../schema/tiers.ts';
import {
  OutOfStock,
  RedemptionLimitReached,
  RedemptionNotFound,
  RedemptionNotOpen,
  RewardNotAvailable,
  RewardNotFound,
  VoucherCodeMistyped,
} from '../errors.ts';
import type { RewardsService } from '../service.ts';
import type { Redeemed } from '../service-redeem.ts';
import type { CatalogueTypes } from './catalogue.ts';
import type { RedemptionTypes } from './redemptions.ts';

type Types = { readonly tiers: TierTypes } & CatalogueTypes & RedemptionTypes & AccountTypes;

/** The mutations that exchange points for rewards, and what comes of it. */
export function redemptionMutations(builder: Builder, service: RewardsService, types: Types): void {
  const { Redemption, Account, Reward } = types;
  declareErrors(builder, types);
  const payload = (name: string, description: string) =>
    builder.objectRef<Redeemed>(name).implement({
      description,
      fields: (t) => ({
        redemption: t.field({
          type: Redemption,
          description: 'The redemption as this left it.',
          resolve: (answer) => answer.redemption,
        }),
        account: t.field({
          type: Account,
          nullable: true,
          description: 'The account of the customer as it is now; null once it was closed.',
          resolve: ({ redemption }, _args, context, info) =>
            loadPart(builder, context, info, loyaltyPart, redemption.customerId, {}),
        }),
        replayed: t.exposeBoolean('replayed', {
          description: 'Whether the key was used before with this input: then this is the first answer again.',
        }),
      }),
    });
  const scope = 'loyalty:redeem';

  const RedeemInput = builder.inputType('RedeemRewardInput', {
    description: 'A reward for a customer.',
    fields: (t) => ({
      idempotencyKey: t.field({
        type: 'IdempotencyKey',
        required: true,
        description: 'Your name of this request: sent again, it is answered again and nothing is done twice.',
      }),
      customerId: t.globalID({ required: true, for: customerRef(builder), description: 'Whose points.' }),
      rewardId: t.globalID({ required: true, for: Reward, description: 'What for.' }),
      quantity: t.field({ type: 'PositiveInt', description: 'How many, 1 to 100; 1 when left out.' }),
    }),
  });
  mutationField(builder, 'redeemReward', {
    description:
      'Exchanges points for a reward: holds the points and takes the stock at once, or does neither, and gives a voucher code.',
    scope,
    input: RedeemInput,
    payload: payload('RedeemRewardSuccess', 'The points are held and the stock is taken.'),
    errors: [
      CustomerNotFound,
      NotAMember,
      RewardNotFound,
      RewardNotAvailable,
      OutOfStock,
      RedemptionLimitReached,
      InsufficientPoints,
      IdempotencyConflict,
      RequestInFlight,
      Overloaded,
    ],
    resolve: (input, context) =>
      service.redeemReward(context.call, {
        ...input,
        customerId: input.customerId.id,
        rewardId: input.rewardId.id,
      }),
  });

  const closeInput = (name: string, description: string) =>
    builder.inputType(name, {
      description,
      fields: (t) => ({
        idempotencyKey: t.field({ type: 'IdempotencyKey', required: true, description: 'Your name of this request.' }),
        redemptionId: t.globalID({ for: Redemption, description: 'Which one; or give its code.' }),
        voucherCode: t.string({ description: 'Its code; case, blanks and hyphens do not matter.' }),
        reason: t.string({ description: 'Why, for people; at most 500 characters.' }),
      }),
    });
  const closing = {
    scope,
    errors: [RedemptionNotFound, RedemptionNotOpen, VoucherCodeMistyped, IdempotencyConflict],
  } as const;
  mutationField(builder, 'fulfilRedemption', {
    ...closing,
    description: 'The voucher was used, or what it stands for was handed out: the held points are taken for good.',
    input: closeInput('FulfilRedemptionInput', 'A redemption that was made good.'),
    payload: payload('FulfilRedemptionSuccess', 'The redemption is fulfilled.'),
    resolve: (input, context) =>
      service.fulfilRedemption(context.call, { ...input, redemptionId: input.redemptionId?.id }),
  });
  mutationField(builder, 'cancelRedemption', {
    ...closing,
    description: 'Gives points and stock back, once. Refused when the redemption is no longer open.',
    input: closeInput('CancelRedemptionInput', 'A redemption to be undone.'),
    payload: payload('CancelRedemptionSuccess', 'Points and stock went back.'),
    resolve: (input, context) =>
      service.cancelRedemption(context.call, { ...input, redemptionId: input.redemptionId?.id }),
  });
}

function declareErrors(builder: Builder, { tiers, State }: Types): void {
  const Why = builder.enumType('RewardUnavailableReason', {
    description: 'Why a reward cannot be redeemed, whatever the points.',
    values: {
      ARCHIVED: { description: 'It was taken out of the catalogue.' },
      NOT_YET_VALID: { description: 'Its time has not come yet.' },
      NO_LONGER_VALID: { description: 'Its time is over.' },
      TIER_TOO_LOW: { description: 'The customer holds too low a tier.' },
    } as const,
  });
  domainError(
    builder,
    RewardNotAvailable,
    'The reward cannot be redeemed now, or not by this customer; `why` says which.',
    (t) => ({
      why: t.field({ type: Why, description: 'What stands against it.', resolve: (error) => error.why }),
      lowestTier: t.field({
        type: tiers.Key,
        description: 'The lowest tier that may have it.',
        resolve: (e) => e.lowestTier,
      }),
      validFrom: t.expose('validFrom', { type: 'DateTime', nullable: true, description: 'First instant of its time.' }),
      validUntil: t.expose('validUntil', {
        type: 'DateTime',
        nullable: true,
        description: 'First instant behind its time.',
      }),
    }),
  );
  domainError(builder, OutOfStock, 'Fewer of the reward are left than are wanted.', (t) => ({
    left: t.exposeInt('left', { description: 'How many are left.' }),
  }));
  domainError(builder, RedemptionLimitReached, 'The customer has had as many as one customer may have.', (t) => ({
    limit: t.exposeInt('limit', { description: 'How many one customer may have in all.' }),
    left: t.exposeInt('left', { description: 'How many more this customer may have.' }),
  }));
  domainError(builder, RedemptionNotFound, 'There is no such redemption.');
  domainError(builder, RedemptionNotOpen, 'The redemption was closed before, or its time is over.', (t) => ({
    state: t.field({ type: State, description: 'Where it stands.', resolve: (error) => error.state }),
  }));
  domainError(
    builder,
    VoucherCodeMistyped,
    'The voucher code cannot be right: its check letter does not fit the others. It is not an unknown code but a slip of the finger.',
  );
}
