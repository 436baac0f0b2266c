import type { EarningRule } from './domain/rules.ts';
import type { Tier } from './domain/tiers.ts';

/** The programme as it is shipped; a business changes it through its settings. */

export const DEFAULT_TIERS: readonly Tier[] = [
  {
    key: 'BRONZE',
    name: 'Bronze',
    from: 0,
    benefits: ['48-hour support', 'Monthly newsletter', 'Community forum', '5 % off add-ons'],
  },
  {
    key: 'SILVER',
    name: 'Silver',
    from: 1_000,
    benefits: [
      '24-hour support',
      'Exclusive webinars',
      'Early access to features',
      '10 % off add-ons',
      'Dedicated success manager',
    ],
  },
  {
    key: 'GOLD',
    name: 'Gold',
    from: 2_500,
    benefits: [
      '4-hour support',
      'Quarterly business reviews',
      'Custom integrations',
      '15 % off add-ons',
      'Co-marketing',
      'Beta features',
    ],
  },
  {
    key: 'PLATINUM',
    name: 'Platinum',
    from: 5_000,
    benefits: [
      '1-hour support',
      'Monthly executive check-ins',
      'Custom features',
      '20 % off add-ons',
      'Strategic partnership',
      'Exclusive events',
      'A seat on the product advisory board',
    ],
  },
];

const always = { validFrom: null, validUntil: null, trigger: null };

export const DEFAULT_RULES: readonly EarningRule[] = [
  {
    key: 'monthly_login',
    name: 'Monthly login',
    description: 'The customer logged in during the month.',
    points: { BRONZE: 10, SILVER: 15, GOLD: 20, PLATINUM: 25 },
    cap: { times: 1, per: 'MONTH' },
    ...always,
  },
  {
    key: 'feature_usage',
    name: 'Feature usage',
    description: 'The customer made use of a feature.',
    points: { BRONZE: 5, SILVER: 10, GOLD: 15, PLATINUM: 20 },
    cap: null,
    ...always,
  },
  {
    key: 'feedback',
    name: 'Feedback',
    description: 'The customer answered a survey or wrote a review.',
    points: { BRONZE: 15, SILVER: 20, GOLD: 25, PLATINUM: 30 },
    cap: null,
    ...always,
  },
  {
    key: 'referral_successful',
    name: 'Successful referral',
    description: 'Somebody the customer referred became a customer.',
    points: { BRONZE: 50, SILVER: 100, GOLD: 150, PLATINUM: 200 },
    cap: null,
    ...always,
  },
  {
    key: 'case_study',
    name: 'Case study',
    description: 'The customer took part in a case study. Not open to Bronze.',
    points: { BRONZE: null, SILVER: 50, GOLD: 75, PLATINUM: 100 },
    cap: null,
    ...always,
  },
];
