import { z } from 'zod';
import { defineSetting } from '../../../src/core/settings/index.ts';
import { CAP_PERIODS } from '../domain/rules.ts';
import { TIER_KEYS } from '../domain/tiers.ts';
import { type Campaign, STACKINGS, type Stacking } from './domain/campaigns.ts';
import type { OrderPoints } from './domain/orders.ts';
import type { QualificationWindow } from './domain/qualification.ts';
import { COMPARISONS } from './domain/triggers.ts';

/** Rule key under which points for orders stand in the ledger. */
export const ORDER_RULE = 'order_placed';

/** Hundredths, so that products are exact. */
const multiplier = z.number().min(1).max(10).multipleOf(0.01);

const plain = z.union([z.string().max(200), z.number(), z.boolean()]);

const condition = z
  .object({
    field: z.string().regex(/^(value|properties\..{1,100})$/, 'must be "value" or "properties." and a name'),
    is: z.enum(COMPARISONS),
    to: z.union([plain, z.array(plain).min(1).max(100)]).nullish(),
  })
  .superRefine(({ is, to }, context) => {
    const given = to !== null && to !== undefined;
    const right = is === 'EXISTS' ? !given : is === 'IN' ? Array.isArray(to) : given && !Array.isArray(to);
    if (!right) context.addIssue({ code: 'custom', path: ['to'], message: `does not fit ${is}` });
  });

/** Events of the stream by which a rule gives points. */
export const triggerSchema = z
  .object({
    event: z
      .string()
      .min(1)
      .max(200)
      .refine((name) => name !== 'order.placed', 'orders earn by the setting loyalty.orderPoints'),
    where: z.array(condition).max(20),
  })
  .nullable();

/** Points for orders. */
export const ORDER_POINTS = defineSetting<OrderPoints>({
  key: 'loyalty.orderPoints',
  description:
    'Whether an order earns points, and how many for each whole unit of the reporting currency: from which amount on, multiplied by tier, at most so many an order and so many of all orders of a customer in a period. Imported history earns none.',
  schema: z.object({
    enabled: z.boolean(),
    pointsPerUnit: z.int().min(1).max(1_000),
    minimumUnits: z.int().min(0).max(1_000_000_000).default(0),
    multipliers: z
      .object({ BRONZE: multiplier, SILVER: multiplier, GOLD: multiplier, PLATINUM: multiplier })
      .default({ BRONZE: 1, SILVER: 1, GOLD: 1, PLATINUM: 1 }),
    maxPointsPerOrder: z.int().min(1).max(1_000_000_000).nullable().default(null),
    cap: z
      .object({ points: z.int().min(1).max(1_000_000_000), per: z.enum(CAP_PERIODS) })
      .nullable()
      .default(null),
  }),
  default: {
    enabled: true,
    pointsPerUnit: 1,
    minimumUnits: 0,
    multipliers: { BRONZE: 1, SILVER: 1, GOLD: 1, PLATINUM: 1 },
    maxPointsPerOrder: null,
    cap: null,
  },
});

const names = z.array(z.string().min(1).max(200)).min(1).max(100).nullable().default(null);

const campaign = z
  .object({
    key: z.string().regex(/^[a-z][a-z0-9_]{1,59}$/, 'must be lower-case letters, digits and _, such as double_week'),
    name: z.string().min(1).max(100),
    validFrom: z.iso.datetime(),
    validUntil: z.iso.datetime(),
    rules: names,
    multiplier,
    segment: z
      .object({
        tiers: z.array(z.enum(TIER_KEYS)).min(1).nullable().default(null),
        businessSegments: names,
        plans: names,
        rfmSegments: names,
      })
      .default({ tiers: null, businessSegments: null, plans: null, rfmSegments: null }),
  })
  .refine(({ validFrom, validUntil }) => Date.parse(validFrom) < Date.parse(validUntil), {
    path: ['validUntil'],
    message: 'must lie behind validFrom',
  });

/** More points for some, for a while. */
export const CAMPAIGNS = defineSetting<{ readonly stacking: Stacking; readonly campaigns: readonly Campaign[] }>({
  key: 'loyalty.campaigns',
  description:
    'Campaigns that multiply what rules and orders give, to a segment of customers, from one instant until another. Where several apply, stacking says whether the best one wins (BEST) or what each adds is added (ADD: two doublings triple).',
  schema: z.object({
    stacking: z.enum(STACKINGS),
    campaigns: z
      .array(campaign)
      .max(100)
      .superRefine((campaigns, context) => {
        const keys = campaigns.map((one) => one.key);
        const twice = keys.findIndex((key, index) => keys.indexOf(key) !== index);
        if (twice !== -1) {
          context.addIssue({ code: 'custom', path: [twice, 'key'], message: `"${keys[twice]}" is there twice` });
        }
      }),
  }),
  default: { stacking: 'BEST', campaigns: [] },
});

/** Which earnings count for the tier, and how long a tier is kept that they no longer give. */
export interface TierQualification {
  readonly window: QualificationWindow;
  readonly graceDays: number;
}

export const TIER_QUALIFICATION = defineSetting<TierQualification>({
  key: 'loyalty.tierQualification',
  description:
    'Which earnings count for the tier: all of them (LIFETIME), those of the running calendar month and the ones before it (ROLLING_MONTHS), or those of a calendar year, which uphold a tier until the next year ends (CALENDAR_YEAR). Tiers rise at once. Who no longer has the points of the tier is warned by the daily review and falls after so many days of grace.',
  schema: z.object({
    window: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('LIFETIME') }),
      z.object({ kind: z.literal('ROLLING_MONTHS'), months: z.int().min(1).max(60) }),
      z.object({ kind: z.literal('CALENDAR_YEAR') }),
    ]),
    graceDays: z.int().min(0).max(366),
  }),
  default: { window: { kind: 'LIFETIME' }, graceDays: 30 },
});
