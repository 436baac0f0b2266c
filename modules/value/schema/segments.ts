import { type Builder, checkFirst } from '../../../src/core/builder/index.ts';
import {
  batchPartField,
  customerResolver,
  defineBatchPart,
  filterField,
  partField,
} from '../../../src/core/graph/index.ts';
import type { CustomerAdviceKind } from '../domain/advice.ts';
import { describeRule, type RfmSegment, SEGMENT_RULES, SEGMENT_TEXTS, SEGMENTS } from '../domain/rfm.ts';
import { clusterFilter, type RfmShape, rfmPart, segmentFilter } from '../parts.ts';
import { MOVERS_MAX, type PastPlacement } from '../queries/segments.ts';
import type { ValueService } from '../service.ts';
import type { MoveShown, SegmentMonth, SegmentMoves, SegmentShown } from '../service-segments.ts';
import type { ClusterModel } from '../store.ts';
import type { AdviceEnum } from './advice.ts';

const SCOPE = 'value:read';
const PAST_MAX = 61;

const ruleOf = (segment: RfmSegment): string =>
  SEGMENT_RULES.filter((rule) => rule.segment === segment)
    .map(describeRule)
    .join('; or ');

/** RFM segments, clusters, their history and moves, and where each customer stands. */
export function segmentsSchema(builder: Builder, service: ValueService, Advice: AdviceEnum): void {
  const Segment = builder.enumType('RfmSegment', {
    description: 'Segments by recency, frequency and monetary value; the first whose rule holds. Rules are a setting.',
    values: Object.fromEntries(
      SEGMENTS.map((segment) => [
        segment,
        { description: `${SEGMENT_TEXTS[segment].name}. Unless the setting says otherwise: ${ruleOf(segment)}.` },
      ]),
    ) as Record<RfmSegment, { description: string }>,
  });
  const Method = builder.enumType('SegmentMethod', {
    description: 'How customers are put into groups.',
    values: {
      RFM_RULES: { description: 'Eight named segments by rules over quintile scores.' },
      CLUSTERS: { description: 'Clusters that k-means finds in seven features, named by what they are like.' },
    } as const,
  });
  const Typical = builder
    .objectRef<NonNullable<SegmentShown['typical']> & { readonly currency: string }>('TypicalCustomer')
    .implement({
      description:
        'What a customer of a segment is typically like: the median, or in a cluster the mean of logarithms.',
      fields: (t) => ({
        recencyDays: t.exposeFloat('recencyDays', { description: 'Days since the last order.' }),
        orders: t.exposeFloat('orders', { description: 'Orders so far.' }),
        revenue: t.field({
          type: 'Money',
          description: 'Amount of all orders.',
          resolve: ({ revenueMinor, currency }) => ({ amountMinor: revenueMinor, currency }),
        }),
      }),
    });
  const CustomerSegment = builder.objectRef<SegmentShown>('CustomerSegment').implement({
    description: 'Customers who are alike, and what to do with them.',
    fields: (t) => ({
      segment: t.field({
        type: Segment,
        nullable: true,
        description: 'Which of the eight; null for a cluster.',
        resolve: (s) => s.segment,
      }),
      name: t.exposeString('name', { description: 'What people call it.' }),
      rule: t.exposeString('rule', { description: 'Who belongs to it.' }),
      strategy: t.exposeString('strategy', { description: 'What to do with them.' }),
      customers: t.exposeInt('customers', { description: 'How many customers it has.' }),
      share: t.exposeFloat('share', {
        nullable: true,
        description: 'Of all customers with an order; null when there are none.',
      }),
      revenue: t.field({
        type: 'Money',
        description: 'What its customers have bought so far.',
        resolve: (s) => s.revenue,
      }),
      revenueShare: t.exposeFloat('revenueShare', {
        nullable: true,
        description: 'Of the revenue of all; null when there is none.',
      }),
      typical: t.field({
        type: Typical,
        nullable: true,
        description: 'What its customers are like; null when it has none.',
        resolve: (s) => (s.typical === null ? null : { ...s.typical, currency: s.revenue.currency }),
      }),
      at: t.expose('at', { type: 'DateTime', description: 'The snapshot it is of.' }),
    }),
  });
  builder.queryField('segments', (t) =>
    t.field({
      type: [CustomerSegment],
      description: 'Segments of customers with counts, revenue and strategies; none before the first computation.',
      authScopes: { scope: SCOPE },
      complexity: 20,
      args: {
        method: t.arg({ type: Method, required: true, defaultValue: 'RFM_RULES', description: 'How they are made.' }),
        at: t.arg({
          type: 'DateTime',
          description: 'RFM only: at the newest snapshot that is not after this time; the newest when left out.',
        }),
      },
      resolve: (_root, { method, at }) =>
        method === 'CLUSTERS' ? service.clusterSegments() : service.rfmSegments(at ?? null),
    }),
  );

  const Month = builder.objectRef<SegmentMonth>('SegmentSnapshot').implement({
    description: 'The eight segments at a snapshot.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'The snapshot.' }),
      segments: t.field({ type: [CustomerSegment], description: 'All eight.', resolve: (m) => [...m.segments] }),
    }),
  });
  builder.queryField('segmentHistory', (t) =>
    t.field({
      type: [Month],
      description: 'RFM segments month by month, the oldest first, the newest snapshot last.',
      authScopes: { scope: SCOPE },
      args: { months: t.arg.int({ required: true, defaultValue: 13, description: 'How many snapshots, 1 to 61.' }) },
      complexity: ({ months }) => ({ field: 20, multiplier: months ?? 13 }),
      resolve: (_root, { months }) => service.segmentHistory(Math.min(checkFirst(months, ['months']), PAST_MAX)),
    }),
  );

  const Mover = builder.objectRef<string>('SegmentMover').implement({
    description: 'A customer who moved.',
    fields: (t) => ({
      customer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'The customer; null when it is known no more.',
        resolve: customerResolver(builder, (id: string) => id),
      }),
    }),
  });
  const Move = builder.objectRef<MoveShown>('SegmentMove').implement({
    description: 'Customers who were in one segment and are in another, or in the same.',
    fields: (t) => ({
      from: t.field({
        type: Segment,
        nullable: true,
        description: 'Where they were; null for those who had not ordered.',
        resolve: (m) => m.from,
      }),
      to: t.field({ type: Segment, description: 'Where they are.', resolve: (m) => m.to }),
      customers: t.exposeInt('customers', { description: 'How many.' }),
      revenue: t.field({ type: 'Money', description: 'What they have bought so far.', resolve: (m) => m.revenue }),
      movers: t.field({
        type: [Mover],
        description: 'The most valuable of them.',
        args: { first: t.arg.int({ required: true, defaultValue: 10, description: `How many, 1 to ${MOVERS_MAX}.` }) },
        complexity: ({ first }) => ({ field: 1, multiplier: first ?? 10 }),
        resolve: (m, { first }) => m.customerIds.slice(0, checkFirst(first)),
      }),
    }),
  });
  const Moves = builder.objectRef<SegmentMoves>('SegmentMoves').implement({
    description: 'Moves between segments from one snapshot to another.',
    fields: (t) => ({
      from: t.expose('from', { type: 'DateTime', description: 'The earlier snapshot.' }),
      to: t.expose('to', { type: 'DateTime', description: 'The later snapshot.' }),
      moves: t.field({
        type: [Move],
        description: 'Every pair of segments, most customers first.',
        resolve: (m) => [...m.moves],
      }),
    }),
  });
  builder.queryField('segmentMoves', (t) =>
    t.field({
      type: Moves,
      description: 'Who went from which segment to which, e.g. from Champions to At Risk.',
      authScopes: { scope: SCOPE },
      complexity: { field: 20, multiplier: 20 },
      args: {
        from: t.arg({
          type: 'DateTime',
          required: true,
          description: 'The earlier time: the newest snapshot not after it.',
        }),
        to: t.arg({ type: 'DateTime', description: 'The later time; the newest snapshot when left out.' }),
      },
      resolve: (_root, { from, to }) => service.moves(from, to ?? null),
    }),
  );

  const Trial = builder.objectRef<ClusterModel['trials'][number]>('ClusterTrial').implement({
    description: 'What a number of clusters gave.',
    fields: (t) => ({
      k: t.exposeInt('k', { description: 'The number of clusters.' }),
      inertia: t.exposeFloat('inertia', {
        description: 'Sum of squared distances to the centres: what more clusters lessen.',
      }),
      silhouette: t.exposeFloat('silhouette', {
        nullable: true,
        description: 'How well rows lie in their clusters, -1 to 1.',
      }),
    }),
  });
  const Clustering = builder.objectRef<ClusterModel>('CustomerClustering').implement({
    description: 'How customers were clustered, and why into so many clusters.',
    fields: (t) => ({
      k: t.exposeInt('k', { description: 'The number of clusters.' }),
      reason: t.exposeString('reason', { description: 'Why so many, in words.' }),
      trials: t.field({
        type: [Trial],
        description: 'What each number gave that was tried.',
        resolve: (c) => [...c.trials],
      }),
      clusters: t.field({
        type: [CustomerSegment],
        description: 'The clusters, the largest first.',
        resolve: () => service.clusterSegments(),
      }),
      at: t.expose('at', { type: 'DateTime', description: 'The snapshot it is of.' }),
    }),
  });
  builder.queryField('clustering', (t) =>
    t.field({
      type: Clustering,
      nullable: true,
      description: 'The clustering in force; null while there are too few customers with orders.',
      authScopes: { scope: SCOPE },
      complexity: 20,
      resolve: () => service.clustering(),
    }),
  );

  const Position = builder.objectRef<RfmShape>('RfmPosition').implement({
    description: 'Where a customer stands by recency, frequency and monetary value.',
    fields: (t) => ({
      segment: t.field({ type: Segment, description: 'The segment.', resolve: (r) => r.segment }),
      name: t.string({ description: 'What people call it.', resolve: (r) => SEGMENT_TEXTS[r.segment].name }),
      strategy: t.string({ description: 'What to do.', resolve: (r) => SEGMENT_TEXTS[r.segment].strategy }),
      recencyScore: t.exposeInt('recencyScore', { description: '1 to 5; 5 ordered most lately.' }),
      frequencyScore: t.exposeInt('frequencyScore', { description: '1 to 5; 5 has most orders.' }),
      monetaryScore: t.exposeInt('monetaryScore', { description: '1 to 5; 5 has bought most.' }),
      recencyDays: t.exposeInt('recencyDays', { description: 'Whole days since the last order.' }),
      orders: t.exposeInt('orders', { description: 'Orders so far.' }),
      revenue: t.field({
        type: 'Money',
        description: 'Amount of all orders so far; returns are not taken off.',
        resolve: ({ revenueMinor, currency }) => ({ amountMinor: revenueMinor, currency }),
      }),
      cluster: t.exposeString('cluster', {
        nullable: true,
        description: 'Name of its cluster; null while there are none.',
      }),
      advice: t.field({
        type: [Advice],
        description: 'Standing advice that applies.',
        resolve: (r): CustomerAdviceKind[] => r.advice,
      }),
      at: t.expose('at', { type: 'DateTime', description: 'The snapshot it is of.' }),
    }),
  });
  partField(builder, rfmPart, 'rfmSegment', {
    type: Position,
    nullable: true,
    scope: SCOPE,
    description: 'RFM segment and scores; null while the customer has not ordered.',
  });
  const Past = builder.objectRef<PastPlacement>('PastRfmPosition').implement({
    description: 'Where a customer stood at a snapshot.',
    fields: (t) => ({
      at: t.field({ type: 'DateTime', description: 'The snapshot.', resolve: (p) => new Date(p.at) }),
      segment: t.field({ type: Segment, description: 'The segment then.', resolve: (p) => p.segment }),
      recencyScore: t.exposeInt('recencyScore', { description: '1 to 5.' }),
      frequencyScore: t.exposeInt('frequencyScore', { description: '1 to 5.' }),
      monetaryScore: t.exposeInt('monetaryScore', { description: '1 to 5.' }),
    }),
  });
  const past = defineBatchPart<PastPlacement[], { readonly months: number }>({
    name: 'rfmHistory',
    async load(customerIds, { months }) {
      const found = await service.pastPlacements(customerIds, Math.min(checkFirst(months, ['months']), PAST_MAX));
      return customerIds.map((id) => found.get(id) ?? []);
    },
  });
  batchPartField(builder, past, 'rfmHistory', {
    type: [Past],
    scope: SCOPE,
    description: 'RFM segments of the past, the newest first.',
    args: (arg) => ({
      months: arg.int({ required: true, defaultValue: 13, description: 'How many snapshots back, 1 to 61.' }),
    }),
    complexity: { field: 5, multiplier: 13 },
  });
  filterField<readonly RfmSegment[]>(builder, 'rfmSegment', segmentFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: [Segment], description: 'In one of these RFM segments.' }),
  });
  filterField<readonly string[]>(builder, 'cluster', clusterFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: ['String'], description: 'In one of these clusters, by name.' }),
  });
}
