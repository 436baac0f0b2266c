import { z } from 'zod';
import { defineSetting } from '../../../src/core/settings/index.ts';

export const PREDICTION_MODEL = defineSetting({
  key: 'churn.predictionModel',
  description:
    'How models of who leaves are trained: their trees, the seed (the same data and seed give the same model), and how many monthly snapshots they learn from at most. The horizon is that of churn.inactivity.',
  schema: z.object({
    trees: z.int().min(1).max(2_000),
    depth: z.int().min(1).max(10),
    rate: z.number().gt(0).max(1),
    minChildWeight: z.number().min(0).max(10_000),
    lambda: z.number().min(0).max(10_000),
    rowShare: z.number().gt(0).max(1),
    columnShare: z.number().gt(0).max(1),
    seed: z.int().min(0).max(4_294_967_295),
    trainingSnapshots: z.int().min(1).max(36),
  }),
  // Shallow, slow and on a part of rows and columns each: on a few thousand customers deeper trees rank no better and are calibrated worse.
  default: {
    trees: 150,
    depth: 2,
    rate: 0.05,
    minChildWeight: 10,
    lambda: 1,
    rowShare: 0.7,
    columnShare: 0.5,
    seed: 1,
    trainingSnapshots: 12,
  },
});

export const CONTACT_ECONOMICS = defineSetting({
  key: 'churn.contactEconomics',
  description:
    'What contacting a customer who may leave costs (minor units of the reporting currency), and which share of contacted leavers stays because of it. With the gross margin on what a customer brings in a year they set the threshold.',
  schema: z.object({ saveRate: z.number().min(0).max(1), contactCostMinor: z.int().min(0) }),
  // A personal call with an offer.
  default: { saveRate: 0.2, contactCostMinor: 2_000 },
});

export const DRIFT_LIMITS = defineSetting({
  key: 'churn.driftLimits',
  description:
    'From which population stability index on a feature or the score counts as worth a look, and as another population (an alarm).',
  schema: z
    .object({ watch: z.number().gt(0).max(10), alarm: z.number().gt(0).max(10) })
    .refine(({ watch, alarm }) => watch < alarm, 'watch must lie below alarm'),
  default: { watch: 0.1, alarm: 0.25 },
});

export const predictionSettings = [PREDICTION_MODEL, CONTACT_ECONOMICS, DRIFT_LIMITS];
