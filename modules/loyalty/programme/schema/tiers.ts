import { type Builder, mutationField } from '../../../../src/core/builder/index.ts';
import { InvalidInput } from '../../../../src/core/errors.ts';
import { customerResolver } from '../../../../src/core/graph/index.ts';
import type { TierTypes } from '../../schema/tiers.ts';
import type { LoyaltyService } from '../../service.ts';
import type { QualificationWindow } from '../domain/qualification.ts';
import type { TierMoveSample, TierMoves, TierPreview } from '../service-tiers.ts';
import type { TermsTypes } from './terms.ts';

/** Customers a preview names at most. */
const SAMPLE_MAX = 100;
const SAMPLE_DEFAULT = 20;

/** `changeTiers`. */
export function tierMutations(
  builder: Builder,
  service: LoyaltyService,
  tiers: TierTypes,
  { QualificationInput }: Pick<TermsTypes, 'QualificationInput'>,
): void {
  const Moves = builder.objectRef<TierMoves>('TierMoves').implement({
    description: 'Members who would move from one tier to another.',
    fields: (t) => ({
      from: t.field({ type: tiers.Key, description: 'The tier held.', resolve: (moves) => moves.from }),
      to: t.field({ type: tiers.Key, description: 'The tier to come.', resolve: (moves) => moves.to }),
      afterGrace: t.exposeBoolean('afterGrace', {
        description: 'Whether only when the grace period is over, unless enough is earned before; else at once.',
      }),
      accounts: t.exposeInt('accounts', { description: 'How many.' }),
    }),
  });
  const Sample = builder.objectRef<TierMoveSample>('TierMoveSample').implement({
    description: 'A member who would move.',
    fields: (t) => ({
      customer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'Who; null when erased meanwhile.',
        resolve: customerResolver(builder, (one: TierMoveSample) => one.customerId),
      }),
      from: t.field({ type: tiers.Key, description: 'The tier held.', resolve: (one) => one.from }),
      to: t.field({ type: tiers.Key, description: 'The tier to come.', resolve: (one) => one.to }),
      afterGrace: t.exposeBoolean('afterGrace', { description: 'Whether only after the grace period.' }),
      counting: t.expose('counting', { type: 'SafeInt', description: 'Points that count.' }),
    }),
  });
  const Success = builder.objectRef<TierPreview & { readonly saved: boolean }>('ChangeTiersSuccess').implement({
    description: 'What the next review does by these tiers.',
    fields: (t) => ({
      saved: t.exposeBoolean('saved', {
        description: 'Whether the settings were changed and the review was started; false for a dry run.',
      }),
      accounts: t.exposeInt('accounts', { description: 'Members that were looked at.' }),
      moves: t.field({
        type: [Moves],
        description: 'Who moves, in numbers.',
        resolve: (preview) => [...preview.moves],
      }),
      sample: t.field({
        type: [Sample],
        description: 'Some of those who move.',
        resolve: (preview) => [...preview.sample],
      }),
    }),
  });
  const TierInput = builder.inputType('LoyaltyTierInput', {
    description: 'A tier as it is to be.',
    fields: (t) => ({
      key: t.field({ type: tiers.Key, required: true, description: 'Which one.' }),
      name: t.string({ required: true, description: 'What the business calls it.' }),
      from: t.field({ type: 'SafeInt', required: true, description: 'Points from which it is held; 0 for the first.' }),
      benefits: t.stringList({ required: true, description: 'What its members get.' }),
    }),
  });
  mutationField(builder, 'changeTiers', {
    description:
      'Changes the tiers, or which earnings count for them, and starts the review that moves members to where they belong. With dryRun it only says who would move. What is left out stays as it is: with nothing given it starts, or foretells, the review that also comes by itself once a day.',
    scope: 'settings:write',
    input: builder.inputType('ChangeTiersInput', {
      description: 'Tiers to come into force.',
      fields: (t) => ({
        tiers: t.field({ type: [TierInput], description: 'All of them, lowest first.' }),
        qualification: t.field({ type: QualificationInput, description: 'Which earnings count.' }),
        dryRun: t.boolean({ required: true, description: 'Only say who would move.' }),
        sample: t.int({ description: `Members to name, 0 to ${SAMPLE_MAX}; ${SAMPLE_DEFAULT} when left out.` }),
      }),
    }),
    payload: Success,
    async resolve({ tiers: changed, qualification, dryRun, sample }, context) {
      const preview = await service.changeTiers(context.call, {
        tiers: changed,
        qualification:
          qualification === null || qualification === undefined
            ? null
            : { window: windowOf(qualification), graceDays: qualification.graceDays },
        dryRun,
        sample: Math.min(Math.max(sample ?? SAMPLE_DEFAULT, 0), SAMPLE_MAX),
      });
      return { ...preview, saved: !dryRun };
    },
  });
}

function windowOf(input: {
  readonly window: QualificationWindow['kind'];
  readonly months?: number | null | undefined;
}): QualificationWindow {
  const { window: kind } = input;
  const months = input.months ?? null;
  if (kind === 'ROLLING_MONTHS' && months !== null) return { kind, months };
  if (kind !== 'ROLLING_MONTHS' && months === null) return { kind };
  throw new InvalidInput('"months" is for ROLLING_MONTHS, and needed there.', {
    path: ['input', 'qualification', 'months'],
  });
}
