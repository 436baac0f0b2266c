/** A rated or unrated ticket within the days looked at. */
export interface TicketFact {
  /** 1 to 5; null while nobody rated it. */
  readonly satisfaction: number | null;
}

/** When a subscription ran. */
export interface SubscriptionFact {
  /** Days since it began. */
  readonly startedDaysAgo: number;
  /** Whether it still runs. */
  readonly running: boolean;
}

/** Ways in which customers take part; how many of them a customer goes is the breadth of the relationship. */
export const WAYS = ['USE', 'ORDER', 'FEEDBACK', 'REFERRAL', 'MESSAGE', 'PROGRAMME'] as const;

export type Way = (typeof WAYS)[number];

/** All that a loyalty score and a journey are reckoned from, as known at one moment. */
export interface StandingFacts {
  /** Whether the customer ever did anything. */
  readonly everActive: boolean;
  /** Days with use or an order, of the last 30 and 90. */
  readonly activeDays30: number;
  readonly activeDays90: number;
  /** Different features used within 90 days. */
  readonly featuresUsed: number;
  /** Features of the customer's plan; null while nobody said how many there are. */
  readonly planFeatures: number | null;
  readonly tickets: readonly TicketFact[];
  /** Last NPS answer, 0 to 10. */
  readonly lastNps: number | null;
  /** Referrals made within the days that count. */
  readonly referrals: number;
  readonly reviews: number;
  readonly subscriptions: readonly SubscriptionFact[];
  /** Whether the customer was declared gone. */
  readonly gone: boolean;
  readonly signupDaysAgo: number;
  /** Days since it last did something; null when it never did. */
  readonly quietDays: number | null;
  /** Ways gone within a year. */
  readonly ways: ReadonlySet<Way>;
  /** Calibrated probability to leave; null while no model says so. */
  readonly churnProbability: number | null;
}

export const isSubscribed = (facts: StandingFacts): boolean => facts.subscriptions.some(({ running }) => running);
