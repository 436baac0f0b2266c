import type { LoyaltyBand } from './score.ts';

/** What of a customer decides whether it may be an ambassador. */
export interface AmbassadorFacts {
  /** Null while nobody reckoned it. */
  readonly band: LoyaltyBand | null;
  readonly referrals: number;
  readonly lastNps: number | null;
}

/** What a customer lacks to be an ambassador; nothing when it may be one. */
export type AmbassadorLack = 'BAND' | 'REFERRAL' | 'NPS';

/** An ambassador is a Champion who referred somebody and answered `npsFrom` or more (9-10). PRODUCT §10. */
export function lacksOf(facts: AmbassadorFacts, npsFrom: number): AmbassadorLack[] {
  const lacks: AmbassadorLack[] = [];
  if (facts.band !== 'CHAMPION') lacks.push('BAND');
  if (facts.referrals === 0) lacks.push('REFERRAL');
  if (facts.lastNps === null || facts.lastNps < npsFrom) lacks.push('NPS');
  return lacks;
}
