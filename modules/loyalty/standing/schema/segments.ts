import type { Builder } from '../../../../src/core/builder/index.ts';
import { filterArg, populationOf } from '../../../../src/core/graph/index.ts';
import type { StandingService } from '../service.ts';
import type { BandShown, SegmentationShown } from '../service-segments.ts';
import { type BandType, SCOPE } from './score.ts';

/** `Query.loyaltySegmentation`: all customers by band. */
export function segmentSchema(builder: Builder, service: StandingService, Band: BandType): void {
  const Segment = builder.objectRef<BandShown>('LoyaltySegment').implement({
    description: 'The customers of a band of loyalty.',
    fields: (t) => ({
      band: t.field({ type: Band, description: 'The band.', resolve: (s) => s.band }),
      from: t.exposeFloat('from', { description: 'Score from which it is held.' }),
      customers: t.exposeInt('customers', { description: 'How many customers it has.' }),
      share: t.exposeFloat('share', {
        nullable: true,
        description: 'Of all customers who have a score; null when nobody has.',
      }),
      members: t.exposeInt('members', { description: 'Of them, members of the loyalty programme.' }),
      nonMembers: t.exposeInt('nonMembers', { description: 'Of them, no members.' }),
      points: t.expose('points', { type: 'SafeInt', description: 'Points its members hold.' }),
      revenue: t.field({
        type: 'Money',
        description: 'What its customers have bought so far, as their value was computed last.',
        resolve: ({ revenueMinor, currency }) => ({ amountMinor: revenueMinor, currency }),
      }),
      revenueShare: t.exposeFloat('revenueShare', {
        nullable: true,
        description: 'Of the revenue of all bands; null when there is none.',
      }),
      meanScore: t.exposeFloat('meanScore', { nullable: true, description: 'Mean score; null without customers.' }),
      meanCoverage: t.exposeFloat('meanCoverage', {
        nullable: true,
        description: 'Mean coverage, 0 to 1; null without customers.',
      }),
    }),
  });
  const Segmentation = builder.objectRef<SegmentationShown>('LoyaltySegmentation').implement({
    description: 'Customers by band of their loyalty: each is in exactly one, or not reckoned yet.',
    fields: (t) => ({
      customers: t.exposeInt('customers', { description: 'Customers in all.' }),
      unplaced: t.exposeInt('unplaced', { description: 'Customers whose score was not reckoned yet.' }),
      segments: t.field({
        type: [Segment],
        description: 'All four bands, highest first.',
        resolve: (s) => [...s.bands],
      }),
    }),
  });
  builder.queryField('loyaltySegmentation', (t) =>
    t.field({
      type: Segmentation,
      description: 'All customers by band of their loyalty, members of the programme or not.',
      authScopes: { scope: SCOPE },
      complexity: 20,
      args: { filter: filterArg(builder, t.arg) },
      resolve: (_root, args, context) => service.segmentation(populationOf(builder, context, args)),
    }),
  );
}
