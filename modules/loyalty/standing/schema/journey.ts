import DataLoader from 'dataloader';
import type { FieldNode } from 'graphql';
import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  pageOf,
  perOperation,
} from '../../../../src/core/builder/index.ts';
import { InvalidInput } from '../../../../src/core/errors.ts';
import { eventSubscription } from '../../../../src/core/events/schema.ts';
import { filterField, nestedPartField, partField } from '../../../../src/core/graph/index.ts';
import type { AccountTypes } from '../../ledger/schema/account.ts';
import type { JourneyStage } from '../domain/journey.ts';
import type { Touchpoint } from '../domain/touchpoints.ts';
import { stageChanged } from '../events.ts';
import { type JourneyMonth, type JourneyShape, journeyHistoryPart, journeyPart, stageFilter } from '../parts.ts';
import type { StandingService } from '../service.ts';
import { type BandType, SCOPE } from './score.ts';

/** Shares of a relationship: what is probable, and what says so. */
interface StayShape {
  readonly probability: number;
  readonly basis: NonNullable<JourneyShape['stayBasis']>;
}

const stayOf = ({ stayProbability, stayBasis }: JourneyShape | JourneyMonth): StayShape | null =>
  stayProbability === null || stayBasis === null ? null : { probability: stayProbability, basis: stayBasis };

/** `Customer.loyaltyJourney` and `LoyaltyAccount.journey`: stage, touchpoints, strength and probability to stay. */
export function journeySchema(
  builder: Builder,
  service: StandingService,
  Band: BandType,
  { Account }: AccountTypes,
): void {
  const Stage = builder.enumType('JourneyStage', {
    description:
      'How far a customer has come; the first that fits, from LAPSED, AT_RISK, ADVOCACY, ENGAGEMENT, ONBOARDING.',
    values: {
      ONBOARDING: { description: 'Signed up within 30 days, unless the setting says otherwise.' },
      ADOPTION: { description: 'Past its first days, and in no other stage.' },
      ENGAGEMENT: { description: 'Uses the product weekly or more, or is in a band above SATISFIED.' },
      ADVOCACY: { description: 'Referred somebody or reviewed the product within a year.' },
      AT_RISK: { description: 'Its probability to stay is below 0.4, unless the setting says otherwise.' },
      LAPSED: { description: 'Declared gone, or silent for 90 days without a running subscription.' },
    } as const,
  });
  const Basis = builder.enumType('StayBasis', {
    description: 'What a probability to stay rests on.',
    values: {
      MODEL: { description: '1 less the calibrated probability to leave that the live churn model predicts.' },
      SUBSCRIPTION: {
        description:
          'A simple estimate, not calibrated: by the days of silence, and at least half while a subscription runs.',
      },
      RECENCY: {
        description:
          'A simple estimate, not calibrated: it falls in a straight line with the days of silence, to nothing when the customer counts as churned.',
      },
      STATUS: { description: 'The customer was declared gone.' },
    } as const,
  });
  const Stay = builder.objectRef<StayShape>('ProbabilityToStay').implement({
    description: 'How probable it is that a customer stays, and what says so.',
    fields: (t) => ({
      probability: t.exposeFloat('probability', { description: '0 to 1.' }),
      basis: t.field({ type: Basis, description: 'What it rests on.', resolve: (s) => s.basis }),
    }),
  });
  const STAY_TEXT = 'Probability to stay; null when nothing is known of the customer.';
  const STRENGTH_TEXT =
    'Strength of the relationship, 0 to 100: loyalty score 40 %, tenure up to three years 20 %, recency 20 %, ways of taking part (use, orders, feedback, referrals, messages, the programme) 20 %.';
  const Month = builder.objectRef<JourneyMonth>('JourneyMonth').implement({
    description: 'How a relationship stood at the end of a month, or stands in the running one.',
    fields: (t) => ({
      month: t.expose('month', { type: 'LocalDate', description: 'Its first day, in the time zone of the business.' }),
      stage: t.field({ type: Stage, description: 'The stage.', resolve: (m) => m.stage }),
      score: t.exposeFloat('score', { description: 'The loyalty score, 0 to 100.' }),
      band: t.field({ type: Band, description: 'Its band.', resolve: (m) => m.band }),
      strength: t.exposeFloat('strength', { description: STRENGTH_TEXT }),
      stay: t.field({ type: Stay, nullable: true, description: STAY_TEXT, resolve: stayOf }),
      at: t.expose('at', { type: 'DateTime', description: 'When it was reckoned last.' }),
    }),
  });
  const TouchpointKind = builder.enumType('TouchpointKind', {
    description: 'What moved a customer.',
    values: {
      SIGNED_UP: { description: 'It became a customer.' },
      JOINED: { description: 'It joined the loyalty programme.' },
      FIRST_ORDER: { description: 'Its first order.' },
      ORDER_RETURNED: { description: 'An order, or some of it, came back.' },
      SUBSCRIPTION_STARTED: { description: 'A subscription began.' },
      SUBSCRIPTION_CHANGED: { description: 'Plan or revenue of a subscription changed.' },
      SUBSCRIPTION_CANCELLED: { description: 'A subscription ended.' },
      TICKET_OPENED: { description: 'It asked for help.' },
      TICKET_SOLVED: { description: 'It was helped.' },
      SURVEY_ANSWERED: { description: 'It answered a survey.' },
      REVIEW_GIVEN: { description: 'It reviewed the product.' },
      REFERRAL_MADE: { description: 'It brought another customer.' },
      TIER_CHANGED: { description: 'It reached another tier.' },
      POINTS_REDEEMED: { description: 'It spent points.' },
      REWARD_REDEEMED: { description: 'It chose a reward.' },
      BAND_CHANGED: { description: 'Its loyalty crossed into another band.' },
      STAGE_CHANGED: { description: 'It came into another stage.' },
      AMBASSADOR_INVITED: { description: 'It was invited to be an ambassador.' },
      AMBASSADOR_THANKED: { description: 'It was thanked as an ambassador.' },
    } as const,
  });
  const TouchpointType = builder.objectRef<Touchpoint>('Touchpoint').implement({
    description: 'A fact that moved a customer.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Its name within the customer.' }),
      kind: t.field({ type: TouchpointKind, description: 'What kind of fact.', resolve: (p) => p.kind }),
      at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
      summary: t.exposeString('summary', { description: 'In a few words, e.g. "answered 9 (NPS)".' }),
    }),
  });

  // One batch per place in the document, since places differ in their arguments.
  const loaders = perOperation(() => new Map<readonly FieldNode[], DataLoader<string, Touchpoint[]>>());
  const Journey = builder.objectRef<JourneyShape>('LoyaltyJourney').implement({
    description: 'How far a customer has come, what moved it, how strong the relationship is and whether it will last.',
    fields: (t) => ({
      stage: t.field({ type: Stage, description: 'The stage it is in.', resolve: (j) => j.stage }),
      since: t.expose('since', { type: 'DateTime', description: 'Since when.' }),
      strength: t.exposeFloat('strength', { description: STRENGTH_TEXT }),
      stay: t.field({ type: Stay, nullable: true, description: STAY_TEXT, resolve: stayOf }),
      at: t.expose('at', { type: 'DateTime', description: 'When it was reckoned.' }),
      touchpoints: t.field({
        type: connectionType(builder, { name: 'Touchpoint', node: TouchpointType }),
        description: 'The facts that moved the customer, newest first.',
        args: connectionArgs(t.arg),
        complexity: ({ first }) => ({ field: 10, multiplier: first ?? 20 }),
        resolve: async (journey, { first, after }, context, info) => {
          const places = loaders(context);
          let loader = places.get(info.fieldNodes);
          if (loader === undefined) {
            const limit = checkFirst(first) + 1;
            const place = typeof after === 'string' ? placeOf(decodeCursor(after, 2)) : null;
            loader = new DataLoader(async (ids: readonly string[]) => {
              const found = await service.touchpoints(ids, limit, place);
              return ids.map((id) => found.get(id) ?? []);
            });
            places.set(info.fieldNodes, loader);
          }
          return pageOf(await loader.load(journey.customerId), {
            first,
            after,
            cursorOf: ({ at, id }) => [at.toISOString(), id],
          });
        },
      }),
    }),
  });
  nestedPartField(builder, Journey, journeyHistoryPart, 'history', {
    type: [Month],
    description: 'Month by month, newest first, from the first month the relationship was reckoned.',
    args: (arg) => ({
      months: arg.int({ required: true, defaultValue: 12, description: 'How many months, 1 to 60.' }),
    }),
  });
  const described = {
    type: Journey,
    nullable: true,
    description: 'How far the customer has come; null until it was reckoned first.',
  };
  partField(builder, journeyPart, 'loyaltyJourney', { ...described, scope: SCOPE });
  nestedPartField(builder, Account, journeyPart, 'journey', described);
  filterField<readonly JourneyStage[]>(builder, 'journeyStage', stageFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: [Stage], description: 'In one of these stages of the journey.' }),
  });
  eventSubscription(builder, {
    field: 'stageChanged',
    description: 'Moves of customers from one stage of their journey to another.',
    scope: SCOPE,
    definition: stageChanged,
    type: 'StageChanged',
    fields: (t) => ({
      from: t.field({ type: Stage, description: 'The stage before.', resolve: (event) => event.payload.from }),
      to: t.field({ type: Stage, description: 'The stage now.', resolve: (event) => event.payload.to }),
    }),
  });
}

function placeOf([at, id]: readonly (string | number | null)[]): { at: Date; id: string } {
  const time = new Date(String(at));
  if (Number.isNaN(time.getTime())) throw new InvalidInput('The cursor does not fit this list.', { path: ['after'] });
  return { at: time, id: String(id) };
}
