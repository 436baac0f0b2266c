import { z } from 'zod';
import { defineSetting } from '../../src/core/settings/index.ts';

export const INACTIVITY = defineSetting({
  key: 'churn.inactivity',
  description: 'After how many days without activity a customer without a subscription counts as churned.',
  schema: z.object({ days: z.number().int().min(1).max(3_650) }),
  default: { days: 90 },
});
