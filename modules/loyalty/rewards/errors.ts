import { DomainError } from '../../../src/core/errors.ts';
import type { TierKey } from '../domain/tiers.ts';
import type { RedemptionState } from './domain/redemption.ts';
import type { UnavailableReason } from './domain/reward.ts';

/** No reward has this id. */
export class RewardNotFound extends DomainError {
  constructor(rewardId: string) {
    super('LOYALTY_REWARD_NOT_FOUND', `There is no reward ${rewardId}. The query "rewards" lists all of them.`, {
      path: ['rewardId'],
      details: { rewardId },
    });
  }
}

const WHY: Readonly<Record<UnavailableReason, string>> = {
  ARCHIVED: 'it was archived',
  NOT_YET_VALID: 'its time has not come yet',
  NO_LONGER_VALID: 'its time is over',
  TIER_TOO_LOW: 'the tier of the customer is too low',
};

/** The reward cannot be had now, or not by this customer, whatever the points. */
export class RewardNotAvailable extends DomainError {
  readonly why: UnavailableReason;
  readonly lowestTier: TierKey;
  readonly validFrom: Date | null;
  readonly validUntil: Date | null;
  constructor(
    rewardId: string,
    why: UnavailableReason,
    terms: { readonly lowestTier: TierKey; readonly validFrom: Date | null; readonly validUntil: Date | null },
  ) {
    super('LOYALTY_REWARD_NOT_AVAILABLE', `The reward cannot be redeemed: ${WHY[why]}.`, {
      path: ['rewardId'],
      details: { rewardId, why },
    });
    this.why = why;
    this.lowestTier = terms.lowestTier;
    this.validFrom = terms.validFrom;
    this.validUntil = terms.validUntil;
  }
}

/** Fewer are left than are wanted. */
export class OutOfStock extends DomainError {
  readonly left: number;
  constructor(rewardId: string, left: number) {
    super('LOYALTY_OUT_OF_STOCK', `Of this reward ${left} are left, fewer than are wanted.`, {
      path: ['quantity'],
      details: { rewardId, left },
    });
    this.left = left;
  }
}

/** The customer has had as many as one customer may have. */
export class RedemptionLimitReached extends DomainError {
  readonly limit: number;
  readonly left: number;
  constructor(rewardId: string, limit: number, left: number) {
    super(
      'LOYALTY_REDEMPTION_LIMIT_REACHED',
      `One customer may have ${limit} of this reward; this one can have ${left} more.`,
      { path: ['quantity'], details: { rewardId, limit, left } },
    );
    this.limit = limit;
    this.left = left;
  }
}

/** No redemption has this id or voucher code. */
export class RedemptionNotFound extends DomainError {
  constructor(path: 'redemptionId' | 'voucherCode') {
    const what = path === 'voucherCode' ? 'with this voucher code: it was never given' : 'with this id';
    super('LOYALTY_REDEMPTION_NOT_FOUND', `There is no redemption ${what}.`, { path: [path] });
  }
}

/** The voucher code cannot be right: a letter is wrong, missing or in the wrong place. */
export class VoucherCodeMistyped extends DomainError {
  constructor() {
    super(
      'LOYALTY_VOUCHER_CODE_MISTYPED',
      'The voucher code was mistyped: 25 letters and digits are expected, of which the last one confirms the others. Read it again.',
      { path: ['voucherCode'] },
    );
  }
}

/** The redemption was fulfilled, cancelled or has expired before. */
export class RedemptionNotOpen extends DomainError {
  readonly state: RedemptionState;
  constructor(redemptionId: string, state: RedemptionState, path: 'redemptionId' | 'voucherCode') {
    super('LOYALTY_REDEMPTION_NOT_OPEN', `The redemption is ${state} and nothing more can be done to it.`, {
      path: [path],
      details: { redemptionId, state },
    });
    this.state = state;
  }
}
