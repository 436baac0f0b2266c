import { z } from 'zod';
import { defineSetting } from '../../src/core/settings/index.ts';
import { DEFAULT_RULES, DEFAULT_TIERS } from './defaults.ts';
import { CAP_PERIODS, type EarningRule } from './domain/rules.ts';
import { faultInTiers, type Tier } from './domain/tiers.ts';
import { ledgerSettings } from './ledger/settings.ts';
import { CAMPAIGNS, ORDER_POINTS, ORDER_RULE, TIER_QUALIFICATION, triggerSchema } from './programme/settings.ts';

const tierKey = z.enum(['BRONZE', 'SILVER', 'GOLD', 'PLATINUM']);
const pointsOfTier = z.int().min(1).max(1_000_000).nullable();

/** The ladder customers climb by earning. */
export const TIERS = defineSetting<readonly Tier[]>({
  key: 'loyalty.tiers',
  description:
    'The tiers, lowest first: points earned from which each is held, its name and its benefits. After a change of the points accounts take their new places with the next review; the mutation changeTiers starts one, and says beforehand who would move.',
  schema: z
    .array(
      z.object({
        key: tierKey,
        name: z.string().min(1).max(100),
        from: z.int().min(0).max(1_000_000_000),
        benefits: z.array(z.string().min(1).max(200)).max(50),
      }),
    )
    .superRefine((tiers, context) => {
      const fault = faultInTiers(tiers);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault });
    }),
  default: DEFAULT_TIERS,
});

const rule = z.object({
  key: z
    .string()
    .regex(/^[a-z][a-z0-9_]{1,59}$/, 'must be lower-case letters, digits and _, such as referral_successful'),
  name: z.string().min(1).max(100),
  description: z.string().max(500),
  points: z.object({ BRONZE: pointsOfTier, SILVER: pointsOfTier, GOLD: pointsOfTier, PLATINUM: pointsOfTier }),
  cap: z.object({ times: z.int().min(1).max(1_000_000), per: z.enum(CAP_PERIODS) }).nullable(),
  validFrom: z.iso.datetime().nullable(),
  validUntil: z.iso.datetime().nullable(),
  trigger: triggerSchema.default(null),
});

/** What earns points. */
export const EARNING_RULES = defineSetting<readonly EarningRule[]>({
  key: 'loyalty.earningRules',
  description:
    'What earns points and how many, by tier (null: not open to it), with a cap per calendar period and a time of validity, and the events of the stream by which points are given.',
  schema: z
    .array(rule)
    .max(500)
    .superRefine((rules, context) => {
      const keys = rules.map((one) => one.key);
      const twice = keys.findIndex((key, index) => keys.indexOf(key) !== index || key === ORDER_RULE);
      if (twice !== -1) {
        const why = keys[twice] === ORDER_RULE ? 'is kept for orders (setting loyalty.orderPoints)' : 'is there twice';
        context.addIssue({ code: 'custom', path: [twice, 'key'], message: `"${keys[twice]}" ${why}` });
      }
    }),
  default: DEFAULT_RULES,
});

/** Who becomes a member without being asked. */
export const AUTO_ENROL = defineSetting({
  key: 'loyalty.autoEnrol',
  description:
    'Whether customers join the programme with the first points they earn. When false, only enrolled customers earn.',
  schema: z.boolean(),
  default: true,
});

/** A guard against a slip of the finger. */
export const MAX_POINTS_PER_AWARD = defineSetting({
  key: 'loyalty.maxPointsPerAward',
  description: 'The most points one award, reversal or adjustment through the API may move.',
  schema: z.int().min(1).max(1_000_000_000),
  default: 1_000_000,
});

/** All of them, for the module's table of contents. */
export const loyaltySettings = [
  TIERS,
  TIER_QUALIFICATION,
  EARNING_RULES,
  CAMPAIGNS,
  ORDER_POINTS,
  AUTO_ENROL,
  MAX_POINTS_PER_AWARD,
  ...ledgerSettings,
];
