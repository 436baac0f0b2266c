/** What customers are clustered by. */
export const CLUSTER_FEATURES = [
  'recencyDays',
  'orders',
  'revenue',
  'averageOrder',
  'tenureDays',
  'meanGapDays',
  'distinctProducts',
] as const;

export type ClusterFeature = (typeof CLUSTER_FEATURES)[number];

/** A cluster as it is to be named. */
export interface ClusterProfile {
  readonly customers: number;
  /** The centre in standard deviations from the mean of all customers, of the logarithms. */
  readonly centre: Readonly<Record<ClusterFeature, number>>;
}

/** Beyond half a standard deviation a cluster is said to be different. */
const TELLING = 0.5;

interface Words {
  readonly low: string;
  readonly usual: string;
  readonly high: string;
}

const RECENCY: Words = { low: 'Active', usual: 'Cooling', high: 'Lapsed' };
const FREQUENCY: Words = { low: 'rare', usual: 'occasional', high: 'frequent' };
const SPENDING: Words = { low: 'small spenders', usual: 'middling spenders', high: 'big spenders' };

/** What tells clusters of the same name apart. */
const TRAITS: Readonly<Record<ClusterFeature, Pick<Words, 'low' | 'high'>>> = {
  tenureDays: { low: 'newer', high: 'long known' },
  averageOrder: { low: 'smaller orders', high: 'larger orders' },
  distinctProducts: { low: 'narrow range', high: 'wide range' },
  meanGapDays: { low: 'short gaps', high: 'long gaps' },
  recencyDays: { low: 'seen lately', high: 'not seen lately' },
  orders: { low: 'fewer orders', high: 'more orders' },
  revenue: { low: 'less revenue', high: 'more revenue' },
};

const word = (words: Words, deviation: number): string =>
  deviation <= -TELLING ? words.low : deviation >= TELLING ? words.high : words.usual;

const baseName = ({ centre }: ClusterProfile): string =>
  `${word(RECENCY, centre.recencyDays)} ${word(FREQUENCY, centre.orders)} ${word(SPENDING, centre.revenue)}`;

/**
 * Names of clusters by what their customers are like, never a number; no two are alike. Clusters that would have the same
 * name are told apart by the trait in which they differ most, and so on.
 */
export function nameClusters(profiles: readonly ClusterProfile[]): string[] {
  const names = profiles.map(baseName);
  const groups = new Map<string, number[]>();
  for (const [at, name] of names.entries()) groups.set(name, [...(groups.get(name) ?? []), at]);
  for (const members of groups.values()) tellApart(profiles, names, members, Object.keys(TRAITS) as ClusterFeature[]);
  return names;
}

/** Adds traits to the names of the members until they differ. */
function tellApart(
  profiles: readonly ClusterProfile[],
  names: string[],
  members: readonly number[],
  unused: readonly ClusterFeature[],
): void {
  if (members.length < 2) return;
  const value = (member: number, feature: ClusterFeature): number =>
    (profiles[member] as ClusterProfile).centre[feature];
  const width = (feature: ClusterFeature): number => {
    const values = members.map((member) => value(member, feature));
    return Math.max(...values) - Math.min(...values);
  };
  const widest = unused.reduce<ClusterFeature | null>(
    (best, feature) => (width(feature) > (best === null ? 0 : width(best)) ? feature : best),
    null,
  );
  if (widest === null) {
    bySize(profiles, names, members);
    return;
  }
  const sorted = [...members].sort((a, b) => value(a, widest) - value(b, widest));
  const cut = widestStep(sorted.map((member) => value(member, widest)));
  const rest = unused.filter((feature) => feature !== widest);
  for (const [side, part] of [
    ['low', sorted.slice(0, cut)],
    ['high', sorted.slice(cut)],
  ] as const) {
    for (const member of part) names[member] += `, ${TRAITS[widest][side]}`;
    tellApart(profiles, names, part, rest);
  }
}

/** Where ascending values part most widely: how many lie before it. */
function widestStep(values: readonly number[]): number {
  let cut = 1;
  for (let at = 2; at < values.length; at++) {
    const step = (values[at] as number) - (values[at - 1] as number);
    if (step > (values[cut] as number) - (values[cut - 1] as number)) cut = at;
  }
  return cut;
}

/** Alike in everything: the size tells them apart, and where it does not, the order does. */
function bySize(profiles: readonly ClusterProfile[], names: string[], members: readonly number[]): void {
  const taken = new Set<string>();
  for (const member of members) {
    let name = `${names[member]}, ${(profiles[member] as ClusterProfile).customers.toLocaleString('en')} customers`;
    while (taken.has(name)) name += ' more';
    taken.add(name);
    names[member] = name;
  }
}

/** What to do with the customers of a cluster, by what they are like. */
export function clusterStrategy({ recencyDays, revenue, orders }: ClusterProfile['centre']): string {
  const isValuable = revenue >= TELLING || orders >= TELLING;
  if (recencyDays <= -TELLING) {
    return isValuable
      ? 'Keep them close: early access, a say in what comes next, and thanks. They need no discount.'
      : 'Lead them to the next order: what fits what they bought, and a reason to come back soon.';
  }
  if (recencyDays >= TELLING) {
    return isValuable
      ? 'Win them back in person: ask what went wrong and make an offer worth coming back for.'
      : 'Spend little: a seasonal reminder, and leave those alone who do not react.';
  }
  return isValuable
    ? 'Keep the habit alive: remind them in time for their usual gap, with more of the range.'
    : 'Bring yourself to mind before they drift away, with something new for a limited time.';
}
