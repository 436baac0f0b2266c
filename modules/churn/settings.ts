import { z } from 'zod';
import { defineSetting } from '../../src/core/settings/index.ts';
import type { RecommendationRules } from './domain/recommendations.ts';

export const INACTIVITY = defineSetting({
  key: 'churn.inactivity',
  description: 'After how many days without activity a customer without a subscription counts as churned.',
  schema: z.object({ days: z.number().int().min(1).max(3_650) }),
  default: { days: 90 },
});

const text = z.string().min(1).max(500);
const advice = {
  rule: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, 'must be 1 to 50 small letters, digits or "_"'),
  priority: z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW']),
  title: text,
  action: text,
  expectedEffect: text,
  timeline: text,
};

/** The shipped rules are those of the product's definitions. */
export const RECOMMENDATIONS = defineSetting<RecommendationRules>({
  key: 'churn.recommendations',
  description:
    'What reports recommend: of the churn rules the one with the highest `rateAbove` (0 to 1, a month) that the rate is above, of the health rules the one with the lowest `meanBelow` (0 to 100) that the mean score is below.',
  schema: z.object({
    churn: z.array(z.object({ rateAbove: z.number().min(0).max(1), ...advice })).max(20),
    health: z.array(z.object({ meanBelow: z.number().min(0).max(100), ...advice })).max(20),
  }),
  default: {
    churn: [
      {
        rateAbove: 0.1,
        rule: 'churn_critical',
        priority: 'CRITICAL',
        title: 'Start a retention programme at once',
        action:
          'Call the customers most at risk this week, win back who left last month, and take away the reasons named most often.',
        expectedEffect: '30-50 % less churn',
        timeline: '1-2 months',
      },
      {
        rateAbove: 0.08,
        rule: 'churn_high',
        priority: 'HIGH',
        title: 'Start a retention programme',
        action:
          'Call the customers most at risk this week, win back who left last month, and take away the reasons named most often.',
        expectedEffect: '30-50 % less churn',
        timeline: '1-2 months',
      },
      {
        rateAbove: 0.05,
        rule: 'churn_onboarding',
        priority: 'HIGH',
        title: 'Mend the onboarding',
        action: 'Find the step at which new customers stop, shorten it, and write to whoever has not got past it.',
        expectedEffect: '20-30 % less churn',
        timeline: '1-2 months',
      },
    ],
    health: [
      {
        meanBelow: 60,
        rule: 'health_low',
        priority: 'MEDIUM',
        title: 'Invest in onboarding and success management',
        action:
          'Give every customer of poor health an owner and a success plan, and show them what they do not use yet.',
        expectedEffect: '20-30 % better health',
        timeline: '2-3 months',
      },
    ],
  },
});

/** All of them, for the module's table of contents. */
export const churnSettings = [INACTIVITY, RECOMMENDATIONS];
