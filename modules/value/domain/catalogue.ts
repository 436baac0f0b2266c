/** What a feature measures. */
export type FeatureKind = 'COUNT' | 'MONEY' | 'DAYS' | 'SHARE' | 'RATIO';

/** How the history engine keeps it. Sums of money are exact. */
export type FeatureType = 'UInt32' | 'Float64' | 'Decimal(38, 4)';

/** One measure of a customer at an instant. */
export interface Feature {
  /** Its name in the API and in files. */
  readonly name: string;
  /** Its column in the history engine. */
  readonly column: string;
  readonly kind: FeatureKind;
  readonly type: FeatureType;
  readonly unit: string;
  readonly description: string;
  /** Whether it can be unknown, e.g. the gap between orders of who ordered once. */
  readonly nullable: boolean;
  /** How it is reckoned from what is added up per customer (see queries-features.ts). */
  readonly expression: string;
}

/** Grows whenever a feature changes its meaning: snapshots of another version are computed anew. */
export const CATALOGUE_VERSION = 1;

/** Days of the windows that end with the snapshot. */
export const WINDOW_DAYS = [30, 60, 90, 180] as const;

const MONEY_UNIT = 'major units of the reporting currency';

/** Unit and type of a feature by its kind, unless it says otherwise. */
const KINDS: Readonly<Record<FeatureKind, Pick<Feature, 'unit' | 'type'>>> = {
  COUNT: { unit: 'count', type: 'UInt32' },
  MONEY: { unit: MONEY_UNIT, type: 'Decimal(38, 4)' },
  DAYS: { unit: 'days', type: 'Float64' },
  SHARE: { unit: 'share, 0 to 1', type: 'Float64' },
  RATIO: { unit: 'ratio', type: 'Float64' },
};

const columnOf = (name: string): string => name.replace(/([a-z])([A-Z0-9])/g, '$1_$2').toLowerCase();

function feature(
  kind: FeatureKind,
  name: string,
  description: string,
  expression: string,
  options: Partial<Pick<Feature, 'unit' | 'type' | 'nullable'>> = {},
): Feature {
  return { name, column: columnOf(name), kind, ...KINDS[kind], nullable: false, ...options, description, expression };
}

const MAYBE = { nullable: true } as const;
const MEAN = { nullable: true, type: 'Float64' } as const;

const windows = (
  kind: FeatureKind,
  prefix: string,
  describe: (days: number) => string,
  column: string,
): readonly Feature[] =>
  WINDOW_DAYS.map((days) => feature(kind, `${prefix}${days}`, describe(days), `${column}_${days}`));

/** Float division, so that the mean of exact sums is one rounding away from the truth. NULL over zero. */
const over = (part: string, whole: string): string =>
  `if(${whole} = 0, NULL, toFloat64(${part}) / toFloat64(${whole}))`;

/** Sample standard deviation from exact sums of values and of their squares. */
const deviation = (count: string, sum: string, squares: string): string =>
  `if(${count} < 2, NULL, sqrt(toFloat64(toInt256(${count}) * ${squares} - ${sum} * ${sum}) / (toFloat64(${count}) * (toFloat64(${count}) - 1))))`;

/**
 * The features: what each customer was like at an instant, from what happened strictly before it. Days are days of the
 * business's time zone, amounts in its reporting currency; an order without a rate counts as an order and has no amount.
 */
export const FEATURES: readonly Feature[] = [
  feature('DAYS', 'recencyDays', 'Days since the last order.', 'in_days(last_order_age)', MAYBE),
  feature(
    'DAYS',
    'tenureDays',
    'Days since the first thing the customer did: an order, a session, any activity of its own.',
    'in_days(first_activity_age)',
  ),
  feature(
    'DAYS',
    'activityRecencyDays',
    'Days since the last thing the customer did itself: an order, a return, a session, a ticket, an answer.',
    'in_days(last_activity_age)',
  ),
  feature(
    'RATIO',
    'recencyOverGap',
    'Days since the last order over the mean gap between orders: above 1, the customer is late by its own habit.',
    over('in_days(last_order_age)', 'mean_gap'),
    MAYBE,
  ),
  feature('COUNT', 'orders', 'Orders so far.', 'orders'),
  feature('COUNT', 'orderDays', 'Days with an order so far.', 'length(days)'),
  feature('DAYS', 'meanGapDays', 'Mean of the days from one day with an order to the next.', 'mean_gap', MAYBE),
  feature(
    'DAYS',
    'gapDeviationDays',
    'Standard deviation of the days from one day with an order to the next.',
    deviation('length(gaps)', 'toInt256(arraySum(gaps))', 'toInt256(arraySum(g -> g * g, gaps))'),
    MAYBE,
  ),
  feature('MONEY', 'revenue', 'Amount of all orders so far; returns are not taken off.', 'revenue'),
  feature('MONEY', 'averageOrder', 'Mean amount of an order.', over('revenue', 'priced_orders'), MEAN),
  feature('MONEY', 'largestOrder', 'Amount of the largest order.', 'if(priced_orders = 0, NULL, largest)', MAYBE),
  feature(
    'MONEY',
    'orderDeviation',
    'Standard deviation of the amounts of orders.',
    `${deviation('priced_orders', 'units', 'unit_squares')} / 10000`,
    MEAN,
  ),
  feature('MONEY', 'lastOrder', 'Amount of the last order.', 'if(priced_orders = 0, NULL, last_amount)', MAYBE),
  ...windows('COUNT', 'orders', (days) => `Orders of the last ${days} days.`, 'orders'),
  ...windows('MONEY', 'revenue', (days) => `Amount of the orders of the last ${days} days.`, 'revenue'),
  feature(
    'RATIO',
    'ordersTrend',
    'Orders of the last 90 days less those of the 90 days before, over both: -1 fell silent, 1 began, 0 as before.',
    over('toInt64(orders_90) * 2 - toInt64(orders_180)', 'orders_180'),
    MAYBE,
  ),
  feature(
    'RATIO',
    'revenueTrend',
    'Amount of the last 90 days less that of the 90 days before, over both: -1 fell silent, 1 began, 0 as before.',
    over('revenue_90 * 2 - revenue_180', 'revenue_180'),
    MAYBE,
  ),
  feature('RATIO', 'basketLines', 'Mean lines of an order whose lines are known.', over('lines', 'line_orders'), {
    ...MAYBE,
    unit: 'lines',
  }),
  feature('RATIO', 'basketPieces', 'Mean pieces of an order whose lines are known.', over('pieces', 'line_orders'), {
    ...MAYBE,
    unit: 'pieces',
  }),
  feature('COUNT', 'distinctProducts', 'Different products bought so far.', 'products'),
  feature('COUNT', 'returns', 'Returns so far.', 'returns'),
  feature(
    'SHARE',
    'returnShare',
    'Amount returned so far over the amount of all orders.',
    over('returned', 'revenue'),
    MAYBE,
  ),
  feature(
    'SHARE',
    'weekendShare',
    'Share of the orders placed on a Saturday or Sunday.',
    over('weekend', 'orders'),
    MAYBE,
  ),
  feature('SHARE', 'morningShare', 'Share of the orders placed before noon.', over('morning', 'orders'), MAYBE),
  feature('COUNT', 'activeDays30', 'Days of the last 30 on which the customer did something.', 'active_30'),
  feature('COUNT', 'activeDays90', 'Days of the last 90 on which the customer did something.', 'active_90'),
  feature('COUNT', 'tickets90', 'Tickets opened in the last 90 days.', 'tickets_90'),
];

export const featureNames: readonly string[] = FEATURES.map(({ name }) => name);
