import { DomainError } from '../../../src/core/errors.ts';
import type { AmbassadorLack } from './domain/ambassadors.ts';

const LACKS: Readonly<Record<AmbassadorLack, string>> = {
  BAND: 'is no Champion',
  REFERRAL: 'has referred nobody',
  NPS: 'has not answered 9 or 10',
};

/** The customer lacks what makes an ambassador. */
export class NotAnAmbassador extends DomainError {
  readonly lacks: readonly AmbassadorLack[];
  constructor(customerId: string, lacks: readonly AmbassadorLack[]) {
    super(
      'LOYALTY_NOT_AN_AMBASSADOR',
      `The customer ${lacks.map((lack) => LACKS[lack]).join(' and ')}; ambassadors are Champions who referred somebody and would recommend us.`,
      { path: ['customerId'], details: { customerId, lacks } },
    );
    this.lacks = lacks;
  }
}

/** Only who was invited can be thanked. */
export class AmbassadorNotInvited extends DomainError {
  constructor(customerId: string) {
    super('LOYALTY_AMBASSADOR_NOT_INVITED', 'The customer was not invited to be an ambassador; invite it first.', {
      path: ['customerId'],
      details: { customerId },
    });
  }
}
