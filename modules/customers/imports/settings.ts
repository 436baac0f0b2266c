import { z } from 'zod';
import { defineSetting } from '../../../src/core/settings/index.ts';

export const MINIMUM_QUALITY = defineSetting({
  key: 'customers.imports.minimumQuality',
  description:
    'Share of rows without an error-level finding below which an import stops after its report and asks; 0 never asks.',
  schema: z.number().min(0).max(1),
  default: 0.95,
});

export const RETURNS = defineSetting({
  key: 'customers.imports.returns',
  description:
    'How imported order lines are told to be cancellations or returns: `orderPrefix` begins their order ids when a digit follows it ("" for none); `netting` also takes what they undo off the purchases.',
  schema: z.object({ orderPrefix: z.string().max(20), netting: z.boolean() }),
  default: { orderPrefix: 'C', netting: false },
});

/**
 * Quantities and prices of retail are near log-normal, so the fence stands on the logarithm. Three times the interquartile
 * range beyond the upper quartile is Tukey's "far out": one in 400,000 of a normal distribution. A value must be far out
 * for the business and, where the product has enough lines to tell, for its product: a product usually sold by the pallet
 * is not cut down to what others sell.
 */
export const OUTLIERS = defineSetting({
  key: 'customers.imports.outliers',
  description:
    'Stage 5 of cleaning: quantities and unit prices above the fence are calculated with as the fence; the rows stay as they came. The fence is exp(Q3 + `fence` × (Q3 − Q1)) of the logarithms, the higher one of the whole file and of the product (with at least `minimumLines` lines).',
  schema: z.object({ cap: z.boolean(), fence: z.number().min(1).max(10), minimumLines: z.int().min(2).max(100_000) }),
  default: { cap: true, fence: 3, minimumLines: 20 },
});

export const UPLOAD_DAYS = defineSetting({
  key: 'customers.imports.uploadDays',
  description: 'How many days the bytes of an uploaded file are kept; imports that are not finished keep theirs.',
  schema: z.int().min(1).max(3_650),
  default: 30,
});

export const WAITING_DAYS = defineSetting({
  key: 'customers.imports.waitingDays',
  description:
    'How many days an import waits for an answer after its quality report; then it is cancelled, and what was read of its file goes.',
  schema: z.int().min(1).max(365),
  default: 7,
});

/** All of them, for the module's table of contents. */
export const importSettings = [MINIMUM_QUALITY, RETURNS, OUTLIERS, UPLOAD_DAYS, WAITING_DAYS];
