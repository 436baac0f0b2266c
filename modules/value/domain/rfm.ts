/** What a customer's scores are made of, at one instant. Only customers who ever ordered have scores. */
export interface RfmFacts {
  readonly customerId: string;
  /** Whole days since the last order. */
  readonly recencyDays: number;
  readonly orders: number;
  /** Amount of all orders; any unit, as it only ranks. */
  readonly revenue: number;
}

/** 1 (worst) to 5 (best). */
export type Score = 1 | 2 | 3 | 4 | 5;

export interface RfmScores {
  readonly recency: Score;
  readonly frequency: Score;
  readonly monetary: Score;
}

export const SEGMENTS = [
  'CHAMPIONS',
  'LOYAL',
  'NEW',
  'PROMISING',
  'POTENTIAL_LOYALISTS',
  'NEEDS_ATTENTION',
  'AT_RISK',
  'HIBERNATING',
] as const;

export type RfmSegment = (typeof SEGMENTS)[number];

/** How people call a segment, and what to do with its customers. */
export interface SegmentText {
  readonly name: string;
  readonly strategy: string;
}

export const SEGMENT_TEXTS: Readonly<Record<RfmSegment, SegmentText>> = {
  CHAMPIONS: {
    name: 'Champions',
    strategy:
      'Thank them and keep them close: early access, a say in what comes next, referrals and reviews. They need no discount.',
  },
  LOYAL: {
    name: 'Loyal',
    strategy:
      'Raise what they buy at a time: bundles, premium lines, and a higher tier of the loyalty programme in sight.',
  },
  NEW: {
    name: 'New',
    strategy:
      'Make the second order easy: a welcome series, help with the first purchase, an offer that ends within weeks.',
  },
  PROMISING: {
    name: 'Promising',
    strategy:
      'Show more of the range: best sellers and what others bought next, with free delivery for a larger basket.',
  },
  POTENTIAL_LOYALISTS: {
    name: 'Potential Loyalists',
    strategy: 'Turn a good start into a habit: invite them to the loyalty programme and recommend by what they bought.',
  },
  NEEDS_ATTENTION: {
    name: 'Needs Attention',
    strategy: 'Bring yourself to mind before they drift away: a reminder with something new, for a limited time.',
  },
  AT_RISK: {
    name: 'At Risk',
    strategy:
      'Win them back in person: ask what went wrong, and make an offer worth coming back for. They were good customers.',
  },
  HIBERNATING: {
    name: 'Hibernating',
    strategy: 'Spend little: a seasonal reminder by e-mail, and leave those alone who do not react.',
  },
};

/**
 * Scores by fifths. The rule for ties: a customer's score is 1 plus five times the share of customers who are strictly worse,
 * rounded down. So equal values have equal scores, whatever the order of the rows, and without ties each score has a fifth.
 * @param goodness per customer, more is better
 */
export function quintiles(goodness: Float64Array): Uint8Array {
  const sorted = goodness.slice().sort();
  const scores = new Map<number, number>();
  for (let worse = 0; worse < sorted.length; worse++) {
    const value = sorted[worse] as number;
    if (!scores.has(value)) scores.set(value, 1 + Math.floor((5 * worse) / sorted.length));
  }
  return Uint8Array.from(goodness, (value) => scores.get(value) as number);
}

/** Scores of all customers at an instant, in their order. Less recency is better; more orders and more revenue are. */
export function scoreAll(facts: readonly RfmFacts[]): RfmScores[] {
  const recency = quintiles(Float64Array.from(facts, (one) => -one.recencyDays));
  const frequency = quintiles(Float64Array.from(facts, (one) => one.orders));
  const monetary = quintiles(Float64Array.from(facts, (one) => one.revenue));
  return facts.map((_, at) => ({
    recency: recency[at] as Score,
    frequency: frequency[at] as Score,
    monetary: monetary[at] as Score,
  }));
}

/** Frequency and monetary averaged. */
export const valueScore = ({ frequency, monetary }: RfmScores): number => (frequency + monetary) / 2;

/** When a customer belongs to a segment: all conditions given hold. */
export interface SegmentRule {
  readonly segment: RfmSegment;
  /** Recency score, at least and at most. */
  readonly recencyMin?: number | undefined;
  readonly recencyMax?: number | undefined;
  /** Frequency and monetary averaged: at least, and below. */
  readonly valueMin?: number | undefined;
  readonly valueBelow?: number | undefined;
  /** Just so many orders. */
  readonly orders?: number | undefined;
}

/** The product's definition. The last rule has no condition, so that everybody has a segment. */
export const SEGMENT_RULES: readonly SegmentRule[] = [
  { segment: 'CHAMPIONS', recencyMin: 4, valueMin: 4 },
  { segment: 'LOYAL', recencyMin: 3, valueMin: 3.5 },
  { segment: 'NEW', recencyMin: 5, orders: 1 },
  { segment: 'PROMISING', recencyMin: 4, valueBelow: 2 },
  { segment: 'POTENTIAL_LOYALISTS', recencyMin: 3, valueMin: 2 },
  { segment: 'NEEDS_ATTENTION', recencyMin: 3, recencyMax: 3 },
  { segment: 'AT_RISK', recencyMax: 2, valueMin: 3 },
  { segment: 'HIBERNATING' },
];

/** The one segment of a customer: that of the first rule that holds. @throws Error when no rule is for everybody */
export function segmentOf(
  scores: RfmScores,
  orders: number,
  rules: readonly SegmentRule[] = SEGMENT_RULES,
): RfmSegment {
  const value = valueScore(scores);
  const found = rules.find(
    (rule) =>
      scores.recency >= (rule.recencyMin ?? 1) &&
      scores.recency <= (rule.recencyMax ?? 5) &&
      value >= (rule.valueMin ?? 0) &&
      value < (rule.valueBelow ?? Infinity) &&
      (rule.orders === undefined || rule.orders === orders),
  );
  if (found === undefined) throw new Error('the rules of segments leave a customer out');
  return found.segment;
}

/** A rule in words, e.g. "recency 4 to 5, value 4 and more". */
export function describeRule({ recencyMin, recencyMax, valueMin, valueBelow, orders }: SegmentRule): string {
  const from = recencyMin ?? 1;
  const to = recencyMax ?? 5;
  const parts = [
    ...(from === 1 && to === 5 ? [] : [from === to ? `recency score ${from}` : `recency score ${from} to ${to}`]),
    ...(valueMin === undefined ? [] : [`frequency and monetary score ${valueMin} or more on average`]),
    ...(valueBelow === undefined ? [] : [`frequency and monetary score below ${valueBelow} on average`]),
    ...(orders === undefined ? [] : [orders === 1 ? 'a single order' : `${orders} orders`]),
  ];
  return parts.length === 0 ? 'everybody else' : parts.join(', ');
}
