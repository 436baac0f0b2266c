import type { Builder } from '../../../../src/core/builder/index.ts';
import { eventSubscription } from '../../../../src/core/events/schema.ts';
import {
  dimensionValue,
  filterField,
  nestedPartField,
  orderValue,
  partField,
} from '../../../../src/core/graph/index.ts';
import type { AccountTypes } from '../../ledger/schema/account.ts';
import type { LoyaltyBand, ScorePart } from '../domain/score.ts';
import { bandChanged } from '../events.ts';
import {
  bandDimension,
  bandFilter,
  type ScorePoint,
  type ScoreShape,
  scoreHistoryPart,
  scoreOrder,
  scorePart,
} from '../parts.ts';

export const SCOPE = 'loyalty:read';

/** The enum `LoyaltyBand`. */
export const bandType = (builder: Builder) =>
  builder.enumType('LoyaltyBand', {
    description: 'Where a loyalty score lies. The edges are a setting.',
    values: {
      CHAMPION: { description: '80 and above, unless the setting says otherwise.' },
      LOYAL: { description: '65 to 80.' },
      ENGAGED: { description: '50 to 65.' },
      SATISFIED: { description: 'Below 50.' },
    } as const,
  });

export type BandType = ReturnType<typeof bandType>;

/** `Customer.loyaltyScore`, `LoyaltyAccount.score`, their history, and filter, order and dimension by them. */
export function scoreSchema(builder: Builder, Band: BandType, { Account }: AccountTypes): void {
  const PartName = builder.enumType('LoyaltyScorePartName', {
    description: 'What a loyalty score is made of.',
    values: {
      USAGE_FREQUENCY: {
        description:
          'How often the customer uses the product or buys: daily 100 (20 active days of 30), weekly 75 (4 of 30), monthly 50 (3 of 90), rarely 25 (1 of 90), else 0.',
      },
      FEATURE_ADOPTION: { description: 'Features used in 90 days of those the plan has.' },
      SUPPORT_INTERACTIONS: {
        description: 'Mean ticket rating of 180 days, over 5; from the fourth ticket on each takes 10 off.',
      },
      NPS: { description: 'The last NPS answer, over 10.' },
      REFERRALS: { description: 'Referrals made in 365 days, 20 each.' },
      RENEWALS: { description: 'Whole years the longest running subscription has run, 50 each; 0 when none runs.' },
    } as const,
  });
  const Part = builder.objectRef<ScorePart>('LoyaltyScorePart').implement({
    description: 'One part of a loyalty score.',
    fields: (t) => ({
      name: t.field({ type: PartName, description: 'Which part.', resolve: (p) => p.name }),
      value: t.exposeFloat('value', {
        nullable: true,
        description: '0 to 100; null when nothing is known, which counts as 0.',
      }),
      weight: t.exposeFloat('weight', { description: 'Its share of the score.' }),
      evidence: t.exposeString('evidence', { description: 'What it was reckoned from.' }),
    }),
  });
  const Score = builder.objectRef<ScoreShape>('LoyaltyScore').implement({
    description:
      'How loyal a customer is, 0 to 100, with what the score is made of. Parts of which nothing is known count as 0; the coverage says how much was known.',
    fields: (t) => ({
      score: t.exposeFloat('score', { description: '0 to 100.' }),
      band: t.field({ type: Band, description: 'Where the score lies.', resolve: (s) => s.band }),
      bandSince: t.expose('bandSince', { type: 'DateTime', description: 'Since when it lies there.' }),
      coverage: t.exposeFloat('coverage', { description: 'Share of the weights that was known, 0 to 1.' }),
      parts: t.field({ type: [Part], description: 'All six parts, known or not.', resolve: (s) => s.parts }),
      causedBy: t.id({
        nullable: true,
        description: 'The event that led to it; null when time alone did.',
        resolve: (s) => s.causedBy,
      }),
      at: t.expose('at', { type: 'DateTime', description: 'When it was reckoned.' }),
    }),
  });
  const Point = builder.objectRef<ScorePoint>('LoyaltyScorePoint').implement({
    description: 'A loyalty score of the past.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'When it was recorded.' }),
      score: t.exposeFloat('score', { description: '0 to 100.' }),
      band: t.field({ type: Band, description: 'Where it lay.', resolve: (p) => p.band }),
      coverage: t.exposeFloat('coverage', { description: 'Share of the weights that was known, 0 to 1.' }),
    }),
  });
  const scored = {
    type: Score,
    nullable: true,
    description: 'Loyalty score with its parts; null until it was reckoned first, moments after the customer came.',
    args: (arg: Parameters<NonNullable<Parameters<typeof partField>[3]['args']>>[0]) => ({
      asOf: arg({ type: 'DateTime', description: 'As was known at this time; now when left out.' }),
    }),
  };
  partField(builder, scorePart, 'loyaltyScore', { ...scored, scope: SCOPE });
  nestedPartField(builder, Account, scorePart, 'score', scored);
  partField(builder, scoreHistoryPart, 'loyaltyScoreHistory', {
    type: [Point],
    scope: SCOPE,
    description: 'Loyalty scores of the past, newest first: one for each time score, parts or stage changed.',
    args: (arg) => ({
      first: arg.int({ required: true, defaultValue: 30, description: 'How many, 1 to 100.' }),
      before: arg({ type: 'DateTime', description: 'Only those recorded before this time.' }),
    }),
  });
  filterField<readonly LoyaltyBand[]>(builder, 'loyaltyBand', bandFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: [Band], description: 'In one of these bands of loyalty, members or not.' }),
  });
  orderValue(builder, 'LOYALTY_SCORE', scoreOrder, {
    scope: SCOPE,
    description: 'By loyalty score; customers who have none yet last.',
  });
  dimensionValue(builder, 'LOYALTY_BAND', bandDimension, { scope: SCOPE, description: 'By band of loyalty.' });

  eventSubscription(builder, {
    field: 'bandChanged',
    description: 'Moves of customers from one band of loyalty to another.',
    scope: SCOPE,
    definition: bandChanged,
    type: 'BandChanged',
    args: builder.args((t) => ({
      to: t.field({ type: [Band], description: 'Only moves into one of these bands.' }),
    })),
    accepts: (event, { to }) => to === null || to === undefined || to.includes(event.payload.to),
    fields: (t) => ({
      from: t.field({
        type: Band,
        nullable: true,
        description: 'The band before; null for the first score.',
        resolve: (event) => event.payload.from,
      }),
      to: t.field({ type: Band, description: 'The band now.', resolve: (event) => event.payload.to }),
      score: t.float({ description: 'The score now.', resolve: (event) => event.payload.score }),
      previousScore: t.float({
        nullable: true,
        description: 'The score before; null for the first.',
        resolve: (event) => event.payload.previousScore,
      }),
      coverage: t.float({
        description: 'Share of the weights that was known, 0 to 1.',
        resolve: (event) => event.payload.coverage,
      }),
    }),
  });
}
