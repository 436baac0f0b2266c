import { DAY_MS, monthsLater, type Stretch } from './calendar.ts';
import type { Day, Life, SubscriptionLife } from './life.ts';
import type { Random } from './random.ts';

export interface Invoice {
  /** Which of the account's subscriptions. */
  readonly subscription: number;
  readonly amountMinor: number;
  readonly issuedAtMs: number;
  readonly dueAtMs: number;
  readonly paidAtMs: number | null;
}

const DUE_DAYS = 14;
/** Who is about to leave and has not paid so shortly before does not pay any more. */
const LEAVING_DAYS = 75;

/** What a subscription is worth a month at a time; 0 when it does not run. */
export function mrrAt({ states, cancelledAtMs }: SubscriptionLife, atMs: number): number {
  if (cancelledAtMs !== null && atMs >= cancelledAtMs) return 0;
  return states.findLast((state) => state.atMs <= atMs)?.mrrMinor ?? 0;
}

/** Every month, in advance, what each subscription is worth at that time; nothing while it is paused. */
export function invoicesOf(random: Random, stretch: Stretch, life: Life): Invoice[] {
  // Some always pay late: that alone says little of whether they stay.
  const habit = Math.min(0.5, Math.exp(random.normal(-3.2, 0.9)));
  const invoices: Invoice[] = [];
  for (const [subscription, one] of life.subscriptions.entries()) {
    const startedAtMs = one.states[0]?.atMs ?? stretch.toMs;
    for (let month = 0; ; month += 1) {
      const issuedAtMs = monthsLater(startedAtMs, month);
      if (issuedAtMs >= stretch.toMs) break;
      const amountMinor = mrrAt(one, issuedAtMs);
      if (amountMinor === 0) continue;
      const dueAtMs = issuedAtMs + DUE_DAYS * DAY_MS;
      const payment = payAt(random, { habit, day: dayAt(stretch, life, issuedAtMs), one, issuedAtMs, dueAtMs });
      const paidAtMs = payment === null || payment >= stretch.toMs ? null : payment;
      invoices.push({ subscription, amountMinor, issuedAtMs, dueAtMs, paidAtMs });
    }
  }
  return invoices.sort((a, b) => a.issuedAtMs - b.issuedAtMs);
}

const dayAt = (stretch: Stretch, life: Life, atMs: number): Day =>
  life.days[Math.floor((atMs - stretch.fromMs) / DAY_MS) - life.signupDay] as Day;

/** When an invoice is paid; null when never. */
function payAt(
  random: Random,
  bill: {
    readonly habit: number;
    readonly day: Day;
    readonly one: SubscriptionLife;
    readonly issuedAtMs: number;
    readonly dueAtMs: number;
  },
): number | null {
  const { habit, day, one, issuedAtMs, dueAtMs } = bill;
  const { strain, mood } = day;
  const isLeaving = one.cancelledAtMs !== null && one.cancelledAtMs - issuedAtMs < LEAVING_DAYS * DAY_MS;
  if (isLeaving && strain > 0.3 && random.chance(0.22)) return null;
  const isLate = random.chance(Math.min(0.9, habit + 0.4 * strain + 0.06 * Math.max(0, -mood)));
  if (!isLate) return issuedAtMs + Math.floor(random.between(0.5, DUE_DAYS - 0.5) * DAY_MS);
  return dueAtMs + Math.floor(Math.min(70, Math.exp(random.normal(1.6 + strain, 0.8))) * DAY_MS);
}
