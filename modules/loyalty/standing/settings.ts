import { z } from 'zod';
import { defineSetting } from '../../../src/core/settings/index.ts';
import type { JourneyRules } from './domain/journey.ts';
import type { ScoreRules } from './domain/score.ts';

const weight = z.number().min(0).max(1_000);
const score = z.number().min(0).max(100);
const share = z.number().min(0).max(1);
const days = z.int().min(1).max(3_650);

export const LOYALTY_SCORE = defineSetting<ScoreRules>({
  key: 'loyalty.score',
  description:
    'Weights of the parts of the loyalty score, the scores from which a band is held, and how parts are reckoned: active days of 30 that make a customer daily or weekly and of 90 that make it monthly or rare; how many tickets within how many days are free and what each further one takes off; referrals of how many days count and how much each; after how many days a subscription is renewed and how much a renewal counts.',
  schema: z.object({
    weights: z
      .object({
        USAGE_FREQUENCY: weight,
        FEATURE_ADOPTION: weight,
        SUPPORT_INTERACTIONS: weight,
        NPS: weight,
        REFERRALS: weight,
        RENEWALS: weight,
      })
      .refine((weights) => Object.values(weights).some((one) => one > 0), 'one of the weights must be above 0'),
    bands: z
      .object({ champion: score, loyal: score, engaged: score })
      .refine(
        ({ champion, loyal, engaged }) => champion > loyal && loyal > engaged && engaged > 0,
        'champion must lie above loyal, loyal above engaged, and engaged above 0',
      ),
    usage: z
      .object({
        dailyDays: z.int().min(1).max(30),
        weeklyDays: z.int().min(1).max(30),
        monthlyDays: z.int().min(1).max(90),
        rareDays: z.int().min(1).max(90),
      })
      .refine(
        (usage) => usage.dailyDays > usage.weeklyDays && usage.monthlyDays > usage.rareDays,
        'dailyDays must lie above weeklyDays, and monthlyDays above rareDays',
      ),
    support: z.object({ days, freeTickets: z.int().min(0).max(1_000), pointsPerTicket: score }),
    referrals: z.object({ days, points: score }),
    renewals: z.object({ termDays: days, points: score }),
  }),
  default: {
    weights: {
      USAGE_FREQUENCY: 25,
      FEATURE_ADOPTION: 20,
      SUPPORT_INTERACTIONS: 15,
      NPS: 20,
      REFERRALS: 10,
      RENEWALS: 10,
    },
    bands: { champion: 80, loyal: 65, engaged: 50 },
    usage: { dailyDays: 20, weeklyDays: 4, monthlyDays: 3, rareDays: 1 },
    support: { days: 180, freeTickets: 3, pointsPerTicket: 10 },
    referrals: { days: 365, points: 20 },
    renewals: { termDays: 365, points: 50 },
  },
});

export const JOURNEY = defineSetting<JourneyRules>({
  key: 'loyalty.journey',
  description:
    'How long a customer is being onboarded; below which probability to stay it is at risk; the simple estimate of that probability where no model has spoken (of a customer active just now, and the least of one with a running subscription); and what makes a relationship strong. Days of silence count up to the setting churn.inactivity.',
  schema: z.object({
    onboardingDays: days,
    atRiskBelow: share,
    stay: z.object({ activeNow: share, subscribedAtLeast: share }),
    strength: z.object({
      weights: z
        .object({ loyalty: weight, tenure: weight, recency: weight, breadth: weight })
        .refine((weights) => Object.values(weights).some((one) => one > 0), 'one of the weights must be above 0'),
      tenureDays: days,
      ways: z.int().min(1).max(6),
    }),
  }),
  default: {
    onboardingDays: 30,
    atRiskBelow: 0.4,
    stay: { activeNow: 0.95, subscribedAtLeast: 0.5 },
    strength: {
      weights: { loyalty: 40, tenure: 20, recency: 20, breadth: 20 },
      tenureDays: 1_095,
      ways: 4,
    },
  },
});

export const AMBASSADORS = defineSetting({
  key: 'loyalty.ambassadors',
  description: 'The NPS answer from which a Champion who referred somebody may be an ambassador.',
  schema: z.object({ npsFrom: z.int().min(0).max(10) }),
  default: { npsFrom: 9 },
});

export const standingSettings = [LOYALTY_SCORE, JOURNEY, AMBASSADORS];
