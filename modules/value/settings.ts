import { z } from 'zod';
import { defineSetting } from '../../src/core/settings/index.ts';
import { ADVICE_RULES } from './domain/advice.ts';
import { SEGMENT_RULES, SEGMENTS } from './domain/rfm.ts';

export const SNAPSHOTS = defineSetting({
  key: 'value.snapshots',
  description:
    'How many monthly snapshots of features are kept: one at the end of each month in which something happened, and the latest.',
  schema: z.object({ months: z.int().min(1).max(60) }),
  default: { months: 36 },
});

const score = z.number().min(1).max(5).optional();

export const SEGMENT_SETTING = defineSetting({
  key: 'value.segments',
  description:
    'Rules of the RFM segments in their order: the first whose conditions all hold has the customer. Conditions: the recency score (recencyMin, recencyMax), frequency and monetary score averaged (valueMin, valueBelow), a number of orders. The last rule is for everybody.',
  schema: z
    .array(
      z.strictObject({
        segment: z.enum(SEGMENTS),
        recencyMin: score,
        recencyMax: score,
        valueMin: score,
        valueBelow: score,
        orders: z.int().min(1).optional(),
      }),
    )
    .min(1)
    .max(32)
    .refine(
      (rules) => Object.keys(rules.at(-1) ?? {}).length === 1,
      'the last rule must be for everybody: only a segment',
    ),
  default: SEGMENT_RULES.map((rule) => ({ ...rule })),
});

export const CLUSTERS = defineSetting({
  key: 'value.clusters',
  description:
    'How customers are clustered: the numbers of clusters tried, restarts of k-means, the seed, and how many customers are looked at (more are assigned to the clusters found).',
  schema: z
    .object({
      kMin: z.int().min(3).max(20),
      kMax: z.int().min(3).max(20),
      restarts: z.int().min(1).max(50),
      seed: z.int().min(0),
      sampleMax: z.int().min(1_000).max(100_000),
    })
    .refine(({ kMin, kMax }) => kMin <= kMax, 'kMin must not lie above kMax'),
  default: { kMin: 3, kMax: 10, restarts: 5, seed: 1, sampleMax: 20_000 },
});

export const LIFETIME_VALUE = defineSetting({
  key: 'value.lifetime',
  description:
    'How far lifetime value looks ahead, how later money is discounted, and which share of it (after gross margin) a new customer may cost at most.',
  schema: z.object({
    horizonMonths: z.int().min(1).max(60),
    annualDiscountRate: z.number().min(0).max(1),
    acquisitionShare: z.number().min(0).max(1),
  }),
  default: { horizonMonths: 12, annualDiscountRate: 0.1, acquisitionShare: 1 / 3 },
});

export const ADVICE = defineSetting({
  key: 'value.advice',
  description:
    'Standing advice: premium bundles for Loyal customers up to a monetary score; a win-back offer for customers At Risk after days without a login; a word when a cohort came back less in some month of its life than the cohort before.',
  schema: z.object({
    premiumBundles: z.object({ enabled: z.boolean(), monetaryScoreMax: z.int().min(1).max(5) }),
    winBack: z.object({
      enabled: z.boolean(),
      daysWithoutLogin: z.int().min(1).max(365),
      discountPercent: z.number().min(0).max(100),
    }),
    cohortRetention: z.object({ enabled: z.boolean(), month: z.int().min(1).max(24) }),
  }),
  default: ADVICE_RULES,
});

export const valueSettings = [SNAPSHOTS, SEGMENT_SETTING, CLUSTERS, LIFETIME_VALUE, ADVICE];
