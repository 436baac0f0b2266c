import { IANAZone } from 'luxon';
import { z } from 'zod';
import { type Clock, shiftedClock } from '../clock.ts';
import { isCurrency } from '../money.ts';
import { defineSetting } from './definition.ts';
import type { Settings } from './settings.ts';

/** Who the business is: every report and message leans on it. */
export const BUSINESS = defineSetting({
  key: 'business.profile',
  description:
    'Name, product, reporting currency, time zone and gross margin of the business, and the links its messages use.',
  schema: z.object({
    companyName: z.string().min(1).max(200),
    productName: z.string().min(1).max(200),
    reportingCurrency: z.string().refine(isCurrency, 'is not an ISO 4217 currency code such as EUR'),
    timeZone: z.string().refine((zone) => IANAZone.isValidZone(zone), 'is not an IANA time zone such as Europe/London'),
    grossMargin: z.number().gt(0).max(1),
    supportAddress: z.email().nullable(),
    gettingStartedUrl: z.url().nullable(),
    schedulingUrl: z.url().nullable(),
    startedOn: z.iso.date().nullable(),
  }),
  default: {
    companyName: 'Our company',
    productName: 'our product',
    reportingCurrency: 'USD',
    timeZone: 'UTC',
    grossMargin: 1,
    supportAddress: null,
    gettingStartedUrl: null,
    schedulingUrl: null,
    startedOn: null,
  },
});

/** What time it is for the business: now, or a demo clock that started at a past instant and ticks on. */
export const BUSINESS_CLOCK = defineSetting({
  key: 'business.clock',
  description:
    'The clock of the business. "demo" shows startsAt at the real instant setAt and ticks on, so that "now" makes sense for old data.',
  schema: z.discriminatedUnion('mode', [
    z.object({ mode: z.literal('real') }),
    z.object({ mode: z.literal('demo'), startsAt: z.iso.datetime(), setAt: z.iso.datetime() }),
  ]),
  default: { mode: 'real' },
});

/** The clock modules live by; follows the setting as it was read last. */
export function businessClock(settings: Settings, base: Clock): Clock {
  return {
    now() {
      const value = settings.peek(BUSINESS_CLOCK);
      if (value.mode === 'real') return base.now();
      return shiftedClock(base, new Date(value.startsAt), new Date(value.setAt)).now();
    },
  };
}
