import { DomainError } from '../../../src/core/errors.ts';

/** No badge of this key. */
export class BadgeNotFound extends DomainError {
  constructor(badge: string) {
    super('LOYALTY_BADGE_NOT_FOUND', `There is no badge "${badge}" (setting loyalty.badges).`, {
      path: ['badge'],
      details: { badge },
    });
  }
}

/** No challenge of this key that can be joined now. */
export class ChallengeNotOpen extends DomainError {
  constructor(challenge: string, why: string) {
    super('LOYALTY_CHALLENGE_NOT_OPEN', `The challenge "${challenge}" cannot be joined: ${why}.`, {
      path: ['challenge'],
      details: { challenge, why },
    });
  }
}

/** Nobody refers by this code. */
export class ReferralCodeNotFound extends DomainError {
  constructor() {
    super('LOYALTY_REFERRAL_CODE_NOT_FOUND', 'No member refers others by this code.', { path: ['code'] });
  }
}

/** Nobody brings themselves: the two are one customer, or share an e-mail address. */
export class SelfReferral extends DomainError {
  constructor(why: string) {
    super('LOYALTY_SELF_REFERRAL', `A customer cannot be brought by themselves: ${why}.`, { path: ['code'] });
  }
}

/** The customer was brought by somebody already. */
export class AlreadyReferred extends DomainError {
  constructor() {
    super('LOYALTY_ALREADY_REFERRED', 'The customer was brought by another member already.', { path: ['customerId'] });
  }
}

/** The customer has been one for too long. */
export class ReferralTooLate extends DomainError {
  constructor(days: number) {
    super(
      'LOYALTY_REFERRAL_TOO_LATE',
      `A customer can be attributed within ${days} days of the signup (setting loyalty.referrals), and these are over.`,
      { path: ['customerId'], details: { days } },
    );
  }
}

/** The customer brought, directly or through others, the one who would have brought them. */
export class ReferralCycle extends DomainError {
  constructor() {
    super('LOYALTY_REFERRAL_CYCLE', 'The customer brought the member whose code this is, directly or through others.', {
      path: ['code'],
    });
  }
}

/** The business does not offer it. */
export class ReferralsDisabled extends DomainError {
  constructor() {
    super('LOYALTY_REFERRALS_DISABLED', 'Referrals are switched off (setting loyalty.referrals).', { path: [] });
  }
}
