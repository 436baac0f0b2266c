/**
 * How an account of the generated business lives. All that is visible follows from what is not:
 *
 * - **mood**, how content the account is: around 0 with a deviation near 1. It wanders back to the account's own level
 *   week by week; the level depends on the segment. Surveys, ratings, use and opened messages show it, with noise.
 * - **Leaving** is decided with a daily hazard of e^(-1.5 mood), higher in the first three months. Three of four then fade:
 *   their use falls for 60 to 90 days, invoices are paid late, tickets and bad answers come, and then they cancel. The
 *   others cancel within three weeks without a sign beyond their mood.
 * - **Dips** look like fading and end well: somebody is away or a project stands still, and use comes back. So a falling
 *   curve is a good hint and no proof.
 * - Content accounts upgrade, add a second subscription, refer and review; discontented ones downgrade. Some pause and
 *   pay nothing meanwhile; some who left come back under a new subscription.
 *
 * Together a sensible model that looks 90 days ahead should reach a ROC-AUC of about 0.8 to 0.9.
 */
import { ADD_ON, PLANS, type Plan, type Reason, type Segment } from './business.ts';
import { DAY_MS, HOUR_MS, type Stretch } from './calendar.ts';
import type { Random } from './random.ts';

interface SubscriptionState {
  readonly atMs: number;
  readonly plan: string;
  readonly mrrMinor: number;
}

export interface SubscriptionLife {
  /** From its start on; the earliest first. */
  readonly states: SubscriptionState[];
  cancelledAtMs: number | null;
  reason: Reason;
}

export interface Day {
  /** How content the account is. */
  readonly mood: number;
  /** How much it uses the product: 1 is usual, 0 not at all. */
  readonly use: number;
  /** How far it has come on its way out, or into a dip: 0 to 1. */
  readonly strain: number;
  /** Index of PLANS it has, or had last. */
  readonly plan: number;
}

type Status = 'TRIAL' | 'ACTIVE' | 'PAUSED' | 'CHURNED';

export interface Life {
  readonly signupDay: number;
  readonly signupAtMs: number;
  /** One for each day from the signup to the end of the stretch. */
  readonly days: readonly Day[];
  readonly subscriptions: readonly SubscriptionLife[];
  readonly status: Status;
  readonly churnedAtMs: number | null;
  readonly churnReason: Reason;
}

const TRIAL_DAYS = 14;
/** Per day, of an account that is neither content nor discontented. */
const LEAVE = 0.00042;
const DIP = 0.0004;
const PAUSE = 0.00012;
const UPGRADE = 0.0006;
const DOWNGRADE = 0.00022;
const ADD = 0.00025;
const DROP_ADD_ON = 0.0008;
/** A new account is likelier to leave for so many days, by so much. */
const NEW_DAYS = 90;
const NEW_FACTOR = 1.5;
/** Of those who leave, the share that fades before. */
const FADING = 0.78;
const COMES_BACK = 0.08;

interface Slump {
  readonly from: number;
  readonly days: number;
  /** Use at its lowest. */
  readonly floor: number;
  /** Days in which it comes back; 0 when it does not. */
  readonly recovery: number;
}

/** Lives one account from its signup to the end of the stretch. */
export function live(random: Random, stretch: Stretch, signupDay: number, segment: Segment): Life {
  return new Living(random, stretch, signupDay, segment).toTheEnd();
}

const lastOf = ({ states }: SubscriptionLife): SubscriptionState => states.at(-1) as SubscriptionState;

/** An account while it is being lived, day by day. */
class Living {
  readonly #random: Random;
  readonly #stretch: Stretch;
  readonly #signupDay: number;
  readonly #signupAtMs: number;
  /** The mood it comes back to. */
  readonly #level: number;
  readonly #intensity: number;
  readonly #discount: number;
  readonly #subscriptions: SubscriptionLife[] = [];
  #mood: number;
  #plan: number;
  #seats = 1;
  #status: Status = 'TRIAL';
  #paysSince: number;
  /** Days on which something that is decided will happen. */
  #startsOn: number | null;
  #leavesOn: number | null = null;
  #resumesOn: number | null = null;
  #slump: Slump | null = null;
  #end: { readonly atMs: number; readonly reason: Reason } | null = null;

  constructor(random: Random, stretch: Stretch, signupDay: number, segment: Segment) {
    this.#random = random;
    this.#stretch = stretch;
    this.#signupDay = signupDay;
    this.#signupAtMs = this.#officeHour(signupDay);
    this.#level = random.normal(segment.content, 0.95);
    this.#intensity = Math.exp(random.normal(0, 0.3));
    this.#discount = random.pick([0, 0, 0, 0.05, 0.1, 0.15, 0.2]);
    this.#mood = this.#level + random.normal(0, 0.3);
    this.#plan = random.weighted(segment.plans);
    this.#startsOn = signupDay + TRIAL_DAYS;
    this.#paysSince = signupDay;
  }

  toTheEnd(): Life {
    const days: Day[] = [];
    for (let day = this.#signupDay; day < this.#stretch.days; day += 1) {
      this.#live(day);
      const slump = this.#slump;
      days.push({
        mood: this.#mood,
        plan: this.#plan,
        // Who leaves without fading has little to show for it.
        strain: slump !== null ? strainOf(slump, day) : this.#leavesOn === null ? 0 : 0.2,
        use: this.#useOn(day),
      });
    }
    return {
      signupDay: this.#signupDay,
      signupAtMs: this.#signupAtMs,
      days,
      subscriptions: this.#subscriptions,
      status: this.#status,
      churnedAtMs: this.#end?.atMs ?? null,
      churnReason: this.#end?.reason ?? null,
    };
  }

  #live(day: number): void {
    const age = day - this.#signupDay;
    if (age % 7 === 6) this.#mood += 0.1 * (this.#level - this.#mood) + this.#random.normal(0, 0.2);
    if (this.#startsOn === day) this.#start(day);
    else if (this.#leavesOn === day) this.#leave(day);
    else if (this.#resumesOn === day) this.#resume(day);
    else if (this.#status === 'ACTIVE' && this.#leavesOn === null) this.#decide(day);
    const slump = this.#slump;
    if (slump !== null && slump.recovery > 0 && day >= slump.from + slump.days + slump.recovery) this.#slump = null;
  }

  /** At most one thing a day. */
  #decide(day: number): void {
    const mood = this.#mood;
    const happens = (perDay: number, slope: number): boolean => this.#random.chance(perDay * Math.exp(slope * mood));
    const addOn = this.#running()[1];
    const newness = day - this.#paysSince < NEW_DAYS ? NEW_FACTOR : 1;
    if (happens(LEAVE * newness, -1.5)) this.#decideToLeave(day);
    else if (this.#slump === null && happens(DIP, -0.4)) this.#dip(day);
    else if (happens(PAUSE, 0)) this.#pause(day);
    else if (happens(UPGRADE, 0.7)) this.#changePlan(day, 1);
    else if (happens(DOWNGRADE, -0.8)) this.#changePlan(day, -1);
    else if (addOn === undefined && this.#plan > 0 && happens(ADD, 0.6))
      this.#begin(this.#officeHour(day), ADD_ON.key, ADD_ON.priceMinor);
    else if (addOn !== undefined && happens(DROP_ADD_ON, -0.8))
      this.#cancel(addOn, this.#officeHour(day), this.#random.pick(['price', 'hardly used', null]));
  }

  #decideToLeave(day: number): void {
    if (!this.#random.chance(FADING)) {
      this.#leavesOn = day + this.#random.whole(3, 20);
      return;
    }
    const days = this.#random.whole(60, 90);
    this.#leavesOn = day + days;
    this.#slump = { from: day, days, floor: this.#random.between(0.02, 0.2), recovery: 0 };
  }

  #dip(day: number): void {
    const floor = this.#random.between(0.25, 0.6);
    this.#slump = { from: day, days: this.#random.whole(30, 70), floor, recovery: this.#random.whole(14, 35) };
  }

  #start(day: number): void {
    this.#begin(this.#officeHour(day), planOf(this.#plan).key, this.#price());
    this.#status = 'ACTIVE';
    this.#startsOn = null;
    this.#end = null;
    this.#paysSince = day;
  }

  #leave(day: number): void {
    this.#cancelAll(this.#officeHour(day));
    if (!this.#random.chance(COMES_BACK)) return;
    this.#startsOn = day + this.#random.whole(35, 180);
    this.#mood += 0.5;
  }

  /** All that runs pays nothing for a while. */
  #pause(day: number): void {
    const atMs = this.#officeHour(day);
    for (const one of this.#running()) one.states.push({ ...lastOf(one), atMs, mrrMinor: 0 });
    this.#status = 'PAUSED';
    this.#resumesOn = day + this.#random.whole(30, 90);
    this.#slump = null;
  }

  /** All that was paused pays what it paid before, or ends. */
  #resume(day: number): void {
    const atMs = this.#officeHour(day);
    this.#resumesOn = null;
    if (this.#random.chance(0.2)) {
      this.#cancelAll(atMs);
      return;
    }
    for (const { states } of this.#running()) states.push({ ...(states.at(-2) as SubscriptionState), atMs });
    this.#status = 'ACTIVE';
  }

  /** One plan up or down; or more or fewer seats, where there is no such plan or it would be too much. */
  #changePlan(day: number, direction: 1 | -1): void {
    const next = this.#plan + direction;
    if (next >= 0 && next < PLANS.length && this.#random.chance(0.6)) this.#plan = next;
    else this.#seats *= direction === 1 ? this.#random.between(1.1, 1.4) : this.#random.between(0.7, 0.9);
    const main = this.#running()[0] as SubscriptionLife;
    const mrrMinor = this.#price();
    if (mrrMinor !== lastOf(main).mrrMinor)
      main.states.push({ atMs: this.#officeHour(day), plan: planOf(this.#plan).key, mrrMinor });
  }

  #begin(atMs: number, plan: string, mrrMinor: number): void {
    this.#subscriptions.push({ states: [{ atMs, plan, mrrMinor }], cancelledAtMs: null, reason: null });
  }

  #cancel(one: SubscriptionLife, atMs: number, reason: Reason): void {
    one.cancelledAtMs = atMs;
    one.reason = reason;
  }

  #cancelAll(atMs: number): void {
    const reason = reasonOf(this.#random, this.#mood, this.#slump !== null);
    for (const one of this.#running()) this.#cancel(one, atMs, reason);
    this.#end = { atMs, reason };
    this.#status = 'CHURNED';
    this.#leavesOn = null;
    this.#slump = null;
  }

  /** The plan's first, then the add-on. */
  #running(): SubscriptionLife[] {
    return this.#subscriptions.filter((one) => one.cancelledAtMs === null);
  }

  /** In whole units, as price lists have it; the larger plans are haggled over. */
  #price(): number {
    const discount = this.#plan >= 2 ? this.#discount : 0;
    return Math.round((planOf(this.#plan).priceMinor * this.#seats * (1 - discount)) / 100) * 100;
  }

  #useOn(day: number): number {
    if (this.#status === 'CHURNED') return 0;
    // Now and then somebody looks something up.
    if (this.#status === 'PAUSED') return 0.02;
    const learning = Math.min(1, 0.6 + (day - this.#signupDay) / 75);
    const fall = this.#slump === null ? 1 : 1 - (1 - this.#slump.floor) * strainOf(this.#slump, day);
    return Math.min(1.5, learning * this.#intensity * Math.exp(0.3 * this.#mood) * fall);
  }

  #officeHour(day: number): number {
    return this.#stretch.fromMs + day * DAY_MS + Math.floor(this.#random.between(8 * HOUR_MS, 18 * HOUR_MS));
  }
}

const planOf = (at: number): Plan => PLANS[at] as Plan;

/** 0 where a slump begins, 1 at its bottom; most of the fall comes early. */
function strainOf({ from, days, recovery }: Slump, day: number): number {
  const gone = day - from;
  if (gone <= days) return Math.sqrt(gone / days);
  return Math.max(0, 1 - (gone - days) / recovery);
}

function reasonOf(random: Random, mood: number, faded: boolean): Reason {
  return random.weighted<Reason>([
    [null, 0.2],
    ['price', 0.22],
    ['missing features', 0.14],
    ['poor support', mood < -0.5 ? 0.2 : 0.04],
    ['hardly used', faded ? 0.22 : 0.04],
    ['went to a competitor', 0.16],
    ['company closed', faded ? 0.03 : 0.14],
  ]);
}
