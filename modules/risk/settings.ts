import { z } from 'zod';
import { defineSetting } from '../../src/core/settings/index.ts';

const weight = z.number().min(0).max(1_000);
const score = z.number().min(0).max(100);

export const HEALTH_RULES = defineSetting({
  key: 'risk.health',
  description: 'Weights of the parts of the health score and the scores from which a customer is Healthy or Neutral.',
  schema: z.object({
    weights: z.object({
      USAGE_FREQUENCY: weight,
      FEATURE_ADOPTION: weight,
      NPS: weight,
      SUPPORT_SATISFACTION: weight,
      PAYMENT_HISTORY: weight,
    }),
    tiers: z
      .object({ healthy: score, neutral: score })
      .refine((tiers) => tiers.healthy > tiers.neutral, 'healthy must lie above neutral'),
  }),
  default: {
    weights: { USAGE_FREQUENCY: 25, FEATURE_ADOPTION: 20, NPS: 10, SUPPORT_SATISFACTION: 15, PAYMENT_HISTORY: 30 },
    tiers: { healthy: 70, neutral: 40 },
  },
});

export const RISK_RULES = defineSetting({
  key: 'risk.indicators',
  description:
    'Weights of the retention-risk indicators, the edges of the categories, and how far below an edge a customer comes down.',
  schema: z.object({
    weights: z.object({
      USAGE_DECLINE: weight,
      SUPPORT_FREQUENCY: weight,
      PAYMENT_DELAY: weight,
      ENGAGEMENT_DROP: weight,
      PREDICTED_CHURN: weight,
    }),
    edges: z
      .object({ monitor: score, atRisk: score, critical: score })
      .refine((edges) => edges.monitor < edges.atRisk && edges.atRisk < edges.critical, 'edges must rise'),
    hysteresis: z.number().min(0).max(25),
  }),
  default: {
    weights: { USAGE_DECLINE: 30, SUPPORT_FREQUENCY: 15, PAYMENT_DELAY: 15, ENGAGEMENT_DROP: 10, PREDICTED_CHURN: 30 },
    edges: { monitor: 25, atRisk: 50, critical: 75 },
    hysteresis: 5,
  },
});

export const USAGE_EXPECTATIONS = defineSetting({
  key: 'risk.usage',
  description: 'Active days of 30 that are expected, by plan where they differ, and how many features each plan has.',
  schema: z.object({
    activeDays: z.number().int().min(1).max(30),
    activeDaysByPlan: z.record(z.string(), z.number().int().min(1).max(30)),
    features: z.number().int().min(1).nullable(),
    featuresByPlan: z.record(z.string(), z.number().int().min(1)),
  }),
  default: { activeDays: 20, activeDaysByPlan: {}, features: null, featuresByPlan: {} },
});
