/** The invented business: what it sells, to whom, and why people leave. */

export const CURRENCY = 'EUR';
export const COMPANY = {
  companyName: 'Lantern Works',
  productName: 'Lantern',
  reportingCurrency: CURRENCY,
  timeZone: 'UTC',
  grossMargin: 0.8,
  supportAddress: 'support@lantern.example',
  gettingStartedUrl: 'https://lantern.example/start',
  schedulingUrl: 'https://lantern.example/meet',
} as const;

export interface Plan {
  readonly key: string;
  readonly priceMinor: number;
  /** How many of FEATURES, from the first. */
  readonly features: number;
  /** Days of 30 on which a content customer is active. */
  readonly activeDays: number;
}

/** From the smallest to the largest: an upgrade goes one on, a downgrade one back. */
export const PLANS: readonly [Plan, Plan, Plan, Plan] = [
  { key: 'starter', priceMinor: 39_00, features: 5, activeDays: 8 },
  { key: 'team', priceMinor: 129_00, features: 8, activeDays: 11 },
  { key: 'business', priceMinor: 399_00, features: 12, activeDays: 14 },
  { key: 'enterprise', priceMinor: 1_290_00, features: 15, activeDays: 17 },
];

/** A second subscription beside the plan. */
export const ADD_ON = { key: 'insights', priceMinor: 79_00 } as const;

export const FEATURES = [
  'boards',
  'tasks',
  'comments',
  'calendar',
  'file-sharing',
  'automations',
  'reports',
  'integrations',
  'timesheets',
  'advanced-analytics',
  'forms',
  'portfolios',
  'approvals',
  'audit-log',
  'single-sign-on',
] as const;

export interface Segment {
  readonly name: string;
  readonly share: number;
  /** Index of the plan it begins with, and how often. */
  readonly plans: readonly (readonly [number, number])[];
  /** Added to how content it is. */
  readonly content: number;
  readonly contacts: readonly [number, number];
  readonly employees: readonly [number, number];
  readonly ticketsPerMonth: number;
}

export const SEGMENTS: readonly Segment[] = [
  {
    name: 'small',
    share: 0.64,
    plans: [
      [0, 0.6],
      [1, 0.37],
      [2, 0.03],
    ],
    content: -0.1,
    contacts: [1, 1],
    employees: [2, 40],
    ticketsPerMonth: 0.25,
  },
  {
    name: 'mid',
    share: 0.28,
    plans: [
      [0, 0.05],
      [1, 0.55],
      [2, 0.4],
    ],
    content: 0.1,
    contacts: [1, 3],
    employees: [41, 400],
    ticketsPerMonth: 0.5,
  },
  {
    name: 'enterprise',
    share: 0.08,
    plans: [
      [2, 0.4],
      [3, 0.6],
    ],
    content: 0.4,
    contacts: [2, 4],
    employees: [401, 9_000],
    ticketsPerMonth: 1.1,
  },
];

export interface Country {
  readonly code: string;
  readonly share: number;
  readonly timeZone: string;
  readonly locale: string;
  /** Of office hours, without summer time: the hour of a session is no more exact than that. */
  readonly utcOffsetHours: number;
}

const country = (code: string, share: number, timeZone: string, locale: string, utcOffsetHours: number): Country => ({
  code,
  share,
  timeZone,
  locale,
  utcOffsetHours,
});

export const COUNTRIES: readonly Country[] = [
  country('DE', 20, 'Europe/Berlin', 'de-DE', 1),
  country('GB', 16, 'Europe/London', 'en-GB', 0),
  country('US', 16, 'America/New_York', 'en-US', -5),
  country('FR', 12, 'Europe/Paris', 'fr-FR', 1),
  country('NL', 9, 'Europe/Amsterdam', 'nl-NL', 1),
  country('ES', 8, 'Europe/Madrid', 'es-ES', 1),
  country('SE', 6, 'Europe/Stockholm', 'sv-SE', 1),
  country('PL', 5, 'Europe/Warsaw', 'pl-PL', 1),
  country('CA', 4, 'America/Toronto', 'en-CA', -5),
  country('AU', 4, 'Australia/Sydney', 'en-AU', 10),
];

/** Account managers, by segment. */
export const OWNERS: Readonly<Record<string, readonly string[]>> = {
  small: ['ines@lantern.example', 'jonas@lantern.example', 'mara@lantern.example'],
  mid: ['tomas@lantern.example', 'wiebke@lantern.example'],
  enterprise: ['ottilie@lantern.example', 'pascal@lantern.example'],
};

/** Why customers say they leave; null when they say nothing. */
export type Reason =
  | 'price'
  | 'missing features'
  | 'poor support'
  | 'hardly used'
  | 'went to a competitor'
  | 'company closed'
  | null;

/** Signups of a calendar month against an average one, January first. */
export const SEASON: readonly number[] = [1.15, 1.1, 1.1, 1, 1, 0.9, 0.8, 0.8, 1.15, 1.15, 1.1, 0.75];
/** How much more sign up each month than in the one before. */
export const GROWTH_PER_MONTH = 1.03;

const words = (text: string): readonly string[] => text.split(' ');
const FIRST = words(
  'Amber Birch Cobalt Copper Cedar Delta Ember Fjord Garnet Harbor Indigo Juniper Larch Maple North Onyx Pine Quartz Rowan Slate',
);
const SECOND = words('Brook Field Gate Hill Lane Mill Moor Peak Quay Ridge Stone Tower Vale Wharf Yard');
const THIRD = words('Analytics Energy Foods Freight Labs Media Partners Robotics Studio Systems Tools Travel');

export const GIVEN_NAMES = words('Ada Bela Carla Dario Elin Farid Greta Hugo Iris Jan Kaya Lior Mina Noor Olek Pia');
export const FAMILY_NAMES = words('Abel Bruns Costa Dahl Egger Faber Gil Holm Ivens Jacobs Kunz Lund Moreau Novak');

/** A name nobody else has. */
export function companyName(index: number): string {
  const names = FIRST.length * SECOND.length * THIRD.length;
  // Neighbours get names far apart: 787 has no divisor in common with how many there are.
  const at = (index * 787) % names;
  const round = Math.floor(index / names);
  const first = FIRST[at % FIRST.length];
  const second = SECOND[Math.floor(at / FIRST.length) % SECOND.length];
  const third = THIRD[Math.floor(at / (FIRST.length * SECOND.length))];
  return `${first} ${second} ${third}${round === 0 ? '' : ` ${round + 1}`}`;
}
