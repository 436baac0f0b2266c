import {
  COUNTRIES,
  type Country,
  companyName,
  FAMILY_NAMES,
  GIVEN_NAMES,
  GROWTH_PER_MONTH,
  OWNERS,
  SEASON,
  SEGMENTS,
  type Segment,
} from './business.ts';
import { DAY_MS, monthsLater, type Stretch, stretchOf } from './calendar.ts';
import { type Life, live } from './life.ts';
import { type Invoice, invoicesOf } from './money.ts';
import { type Random, randomOf } from './random.ts';
import { type Ticket, ticketsOf } from './support.ts';
import { type UsageEvent, usageOf } from './usage.ts';

/** What is generated: the same options give the same accounts, byte for byte. */
export interface SaasOptions {
  readonly customers: number;
  readonly months: number;
  readonly seed: number;
}

export interface Contact {
  readonly name: string;
  readonly email: string;
}

/** An account with all that is to be known of it. */
export interface Account {
  /** Number within the business, from 1. */
  readonly number: number;
  readonly name: string;
  readonly segment: Segment;
  readonly country: Country;
  readonly employees: number;
  readonly owner: string;
  readonly contacts: readonly Contact[];
  readonly life: Life;
  readonly invoices: readonly Invoice[];
  readonly tickets: readonly Ticket[];
  readonly events: readonly UsageEvent[];
}

/** Sides of an account that are drawn apart. */
const SIDES = { profile: 1, life: 2, money: 3, support: 4, usage: 5 } as const;

/** The accounts in the order of their signup, one at a time: memory holds a single one, whatever their number. */
export function* accountsOf({ customers, months, seed }: SaasOptions): Generator<Account> {
  const stretch = stretchOf(months);
  const signups = signupDays(stretch);
  for (let index = 0; index < customers; index += 1) {
    const of = (side: keyof typeof SIDES): Random => randomOf(seed, index, SIDES[side]);
    const profile = of('profile');
    const segment = profile.weighted(SEGMENTS.map((one) => [one, one.share] as const));
    const country = profile.weighted(COUNTRIES.map((one) => [one, one.share] as const));
    const name = companyName(index);
    const life = live(of('life'), stretch, signups((index + profile.next()) / customers), segment);
    yield {
      number: index + 1,
      name,
      segment,
      country,
      employees: profile.whole(...segment.employees),
      owner: profile.pick(OWNERS[segment.name] ?? []),
      contacts: contactsOf(profile, name, segment),
      life,
      invoices: invoicesOf(of('money'), stretch, life),
      tickets: ticketsOf(of('support'), stretch, life, segment),
      events: usageOf(of('usage'), stretch, life, country.utcOffsetHours),
    };
  }
}

/** The day of the signup by the share of all accounts that came before: growing, with good and bad months. */
function signupDays(stretch: Stretch): (share: number) => number {
  const months = Array.from({ length: stretch.months }, (_, month) => {
    const fromMs = monthsLater(stretch.fromMs, month);
    const season = SEASON[new Date(fromMs).getUTCMonth()] ?? 1;
    return { fromMs, toMs: monthsLater(fromMs, 1), weight: GROWTH_PER_MONTH ** month * season };
  });
  const total = months.reduce((sum, { weight }) => sum + weight, 0);
  return (share) => {
    let rest = share * total;
    for (const { fromMs, toMs, weight } of months) {
      if (rest < weight) return Math.floor((fromMs - stretch.fromMs + (rest / weight) * (toMs - fromMs)) / DAY_MS);
      rest -= weight;
    }
    return stretch.days - 1;
  };
}

function contactsOf(random: Random, company: string, segment: Segment): Contact[] {
  const domain = `${company.toLowerCase().replaceAll(' ', '-')}.example`;
  const first = random.whole(0, GIVEN_NAMES.length - 1);
  return Array.from({ length: random.whole(...segment.contacts) }, (_, at) => {
    // Given names differ within an account, and with them the addresses.
    const given = GIVEN_NAMES[(first + at) % GIVEN_NAMES.length] ?? '';
    const family = random.pick(FAMILY_NAMES);
    return { name: `${given} ${family}`, email: `${given}.${family}@${domain}`.toLowerCase() };
  });
}
