import { MOVEMENT_WINDOW_MS, type SubscriptionState } from './subscriptions.ts';

export type MovementKind = 'NEW' | 'EXPANSION' | 'CONTRACTION' | 'CHURNED' | 'REACTIVATION';

/** A change of what a customer pays a month. */
export interface Movement {
  /** When its first part happened. */
  readonly atMs: number;
  /** The reporting currency, or one for which there is no rate. */
  readonly currency: string;
  readonly kind: MovementKind;
  /** Signed. */
  readonly deltaMinor: number;
  /** What the customer pays a month from then on. */
  readonly mrrMinor: number;
  /** Since when the customer has paid without a break; of CHURNED, since when it had. */
  readonly payingSinceMs: number;
}

/** Into the reporting currency by the rate of a day; null where there is none. */
export type Convert = (amountMinor: number, currency: string, atMs: number) => number | null;

interface Step {
  readonly atMs: number;
  readonly subscriptionId: string;
  readonly amountMinor: number;
}

/**
 * The steps of each currency's book. The rate of a subscription is that of the day on which it first had its currency,
 * and stays so: hence changes of exchange rates are no movements, and the movements add up.
 */
function books(states: readonly SubscriptionState[], reportingCurrency: string, convert: Convert): Map<string, Step[]> {
  const steps = new Map<string, Step[]>();
  const put = (currency: string, step: Step) => {
    const book = steps.get(currency);
    if (book === undefined) steps.set(currency, [step]);
    else book.push(step);
  };
  const since = new Map<string, number>();
  const bookOf = new Map<string, string>();
  for (const { subscriptionId, atMs, running, mrrMinor, currency } of states) {
    const key = `${subscriptionId} ${currency}`;
    const rateDayMs = since.get(key) ?? atMs;
    since.set(key, rateDayMs);
    const paid = running ? mrrMinor : 0;
    const converted = currency === reportingCurrency ? paid : convert(paid, currency, rateDayMs);
    const book = converted === null ? currency : reportingCurrency;
    const before = bookOf.get(subscriptionId);
    if (before !== undefined && before !== book) put(before, { atMs, subscriptionId, amountMinor: 0 });
    bookOf.set(subscriptionId, book);
    put(book, { atMs, subscriptionId, amountMinor: converted ?? paid });
  }
  return steps;
}

function kindOf(beforeMinor: number, afterMinor: number, paidEver: boolean): MovementKind {
  if (beforeMinor === 0) return paidEver ? 'REACTIVATION' : 'NEW';
  if (afterMinor === 0) return 'CHURNED';
  return afterMinor > beforeMinor ? 'EXPANSION' : 'CONTRACTION';
}

/** The movements of one book: the deltas up to any moment add up to the amounts in force, the hour's grace apart. */
function movementsOf(currency: string, steps: readonly Step[]): Movement[] {
  const sorted = steps.toSorted((a, b) => a.atMs - b.atMs);
  const amounts = new Map<string, number>();
  const movements: Movement[] = [];
  let totalMinor = 0;
  let payingSinceMs: number | null = null;
  for (let index = 0; index < sorted.length; ) {
    const atMs = (sorted[index] as Step).atMs;
    const beforeMinor = totalMinor;
    for (let step = sorted[index]; step !== undefined && step.atMs < atMs + MOVEMENT_WINDOW_MS; ) {
      totalMinor += step.amountMinor - (amounts.get(step.subscriptionId) ?? 0);
      amounts.set(step.subscriptionId, step.amountMinor);
      index += 1;
      step = sorted[index];
    }
    if (totalMinor === beforeMinor) continue;
    const kind = kindOf(beforeMinor, totalMinor, payingSinceMs !== null);
    if (beforeMinor === 0 || payingSinceMs === null) payingSinceMs = atMs;
    movements.push({
      atMs,
      currency,
      kind,
      deltaMinor: totalMinor - beforeMinor,
      mrrMinor: totalMinor,
      payingSinceMs,
    });
  }
  return movements;
}

/**
 * MRR movements of one customer. Each currency without a rate is a book of its own, never added to another.
 * @param states each subscription's in order of time
 */
export function deriveMovements(
  states: readonly SubscriptionState[],
  reportingCurrency: string,
  convert: Convert,
): Movement[] {
  return [...books(states, reportingCurrency, convert)].flatMap(([currency, steps]) => movementsOf(currency, steps));
}
