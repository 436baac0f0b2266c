/** One kind of thing a customer did on one day (UTC). */
export interface DayOfUse {
  /** Whole days before the assessment; 0 is the day that ends with it. */
  readonly daysAgo: number;
  readonly name: string;
  /** Which feature, for `feature.used`; empty otherwise. */
  readonly feature: string;
  readonly count: number;
  /** Sum of durations in seconds, for `session.ended`; 0 otherwise. */
  readonly durationS: number;
}

export interface InvoiceFact {
  /** Days from the due date until it was paid, or until now while it is open; 0 or less means not late. */
  readonly daysLate: number;
  readonly open: boolean;
}

export interface TicketFact {
  readonly daysAgo: number;
  /** 1 to 5. */
  readonly satisfaction: number | null;
}

/** All that an assessment is reckoned from, as known at one moment. */
export interface CustomerFacts {
  readonly days: readonly DayOfUse[];
  /** Whether the customer ever did anything, also before the days given. */
  readonly everActive: boolean;
  /** Active days of 30 that are expected of this customer or plan. */
  readonly expectedActiveDays: number;
  /** Features of the customer's plan; null while nobody said how many there are. */
  readonly planFeatures: number | null;
  /** Last NPS answer, 0 to 10. */
  readonly lastNps: number | null;
  /** Issued within 12 months. */
  readonly invoices: readonly InvoiceFact[];
  /** Opened within 180 days. */
  readonly tickets: readonly TicketFact[];
  /** Calibrated probability to leave; null while no model says so. */
  readonly churnProbability: number | null;
}

/** Events by which a customer uses the product, as opposed to what is done to or asked of it. */
export const USE_EVENTS: ReadonlySet<string> = new Set([
  'session.started',
  'session.ended',
  'feature.used',
  'order.placed',
]);

/** Active days among the last `days`. */
export function activeDays(facts: CustomerFacts, days: number): number {
  const seen = new Set<number>();
  for (const day of facts.days) if (day.daysAgo < days && USE_EVENTS.has(day.name)) seen.add(day.daysAgo);
  return seen.size;
}
