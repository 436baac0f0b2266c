import { type Builder, domainError, mutationField } from '../../../../src/core/builder/index.ts';
import { customerRef } from '../../../../src/core/graph/index.ts';
import { CustomerNotFound } from '../../../customers/contract.ts';
import { NotAMember } from '../../errors.ts';
import {
  AlreadyReferred,
  BadgeNotFound,
  ChallengeNotOpen,
  ReferralCodeNotFound,
  ReferralCycle,
  ReferralsDisabled,
  ReferralTooLate,
  SelfReferral,
} from '../errors.ts';
import type { BadgeShape, ChallengeShape, ReferralShape } from '../parts.ts';
import type { EngagementService } from '../service.ts';
import type { MemberTypes } from './account.ts';

const ENGAGE = 'loyalty:engage';

/** The mutations of engagement. None needs a key: each can be sent again and does nothing twice. */
export function engagementMutations(builder: Builder, service: EngagementService, types: MemberTypes): void {
  declareErrors(builder);
  const Customer = customerRef(builder);

  mutationField(builder, 'awardBadge', {
    description: 'Awards a badge by hand. Who holds it keeps the first award.',
    scope: 'loyalty:award',
    input: builder.inputType('AwardBadgeInput', {
      description: 'A badge for a customer.',
      fields: (t) => ({
        customerId: t.globalID({ required: true, for: Customer, description: 'Who is to hold it.' }),
        badge: t.string({ required: true, description: 'Key of the badge.' }),
      }),
    }),
    payload: builder
      .objectRef<{ readonly award: BadgeShape; readonly alreadyHeld: boolean }>('AwardBadgeSuccess')
      .implement({
        description: 'The customer holds the badge.',
        fields: (t) => ({
          award: t.field({ type: types.Award, description: 'The award.', resolve: ({ award }) => award }),
          alreadyHeld: t.exposeBoolean('alreadyHeld', { description: 'Whether the customer held it before.' }),
        }),
      }),
    errors: [BadgeNotFound, CustomerNotFound, NotAMember],
    resolve: ({ customerId, badge }, context) => service.awardBadge(context.call, { customerId: customerId.id, badge }),
  });

  mutationField(builder, 'joinChallenge', {
    description:
      'Lets a customer take part in a challenge. Where one has to join, what was done before does not count.',
    scope: ENGAGE,
    input: builder.inputType('JoinChallengeInput', {
      description: 'A customer who takes part.',
      fields: (t) => ({
        customerId: t.globalID({ required: true, for: Customer, description: 'Who.' }),
        challenge: t.string({ required: true, description: 'Key of the challenge.' }),
      }),
    }),
    payload: builder
      .objectRef<{ readonly progress: ChallengeShape; readonly alreadyJoined: boolean }>('JoinChallengeSuccess')
      .implement({
        description: 'The customer takes part.',
        fields: (t) => ({
          progress: t.field({
            type: types.Challenge,
            description: 'Where the customer stands.',
            resolve: ({ progress }) => progress,
          }),
          alreadyJoined: t.exposeBoolean('alreadyJoined', { description: 'Whether the customer did before.' }),
        }),
      }),
    errors: [ChallengeNotOpen, CustomerNotFound, NotAMember],
    resolve: async ({ customerId, challenge: key }, context) => {
      const input = { customerId: customerId.id, challenge: key };
      const { entry, challenge, alreadyJoined } = await service.joinChallenge(context.call, input);
      return { progress: { ...entry, challenge, progress: Number(entry.progress) }, alreadyJoined };
    },
  });

  mutationField(builder, 'joinLeaderboard', {
    description: 'Shows a member on the leaderboard, or changes the name shown. Ask the person before.',
    scope: ENGAGE,
    input: builder.inputType('JoinLeaderboardInput', {
      description: 'A member who wants to be shown.',
      fields: (t) => ({
        customerId: t.globalID({ required: true, for: Customer, description: 'Who.' }),
        displayName: t.string({ required: true, description: 'The name others see: 1 to 40 characters.' }),
      }),
    }),
    payload: builder.objectRef<{ readonly displayName: string }>('JoinLeaderboardSuccess').implement({
      description: 'The member is shown.',
      fields: (t) => ({ displayName: t.exposeString('displayName', { description: 'The name shown.' }) }),
    }),
    errors: [CustomerNotFound, NotAMember],
    resolve: ({ customerId, displayName }, context) =>
      service.joinLeaderboard(context.call, { customerId: customerId.id, displayName }),
  });
  mutationField(builder, 'leaveLeaderboard', {
    description: 'Takes a customer off the leaderboard, with the name.',
    scope: ENGAGE,
    input: builder.inputType('LeaveLeaderboardInput', {
      description: 'A member who no longer wants to be shown.',
      fields: (t) => ({ customerId: t.globalID({ required: true, for: Customer, description: 'Who.' }) }),
    }),
    payload: builder.objectRef<{ readonly left: boolean }>('LeaveLeaderboardSuccess').implement({
      description: 'The customer is not shown.',
      fields: (t) => ({ left: t.exposeBoolean('left', { description: 'Whether the customer was shown before.' }) }),
    }),
    errors: [CustomerNotFound],
    resolve: ({ customerId }) => service.leaveLeaderboard({ customerId: customerId.id }),
  });
  referralMutations(builder, service, types);
}

function referralMutations(builder: Builder, service: EngagementService, types: MemberTypes): void {
  const Customer = customerRef(builder);
  mutationField(builder, 'createReferralCode', {
    description: 'The code by which a member refers others: made once, and the same ever after.',
    scope: ENGAGE,
    input: builder.inputType('CreateReferralCodeInput', {
      description: 'A member who wants to refer others.',
      fields: (t) => ({ customerId: t.globalID({ required: true, for: Customer, description: 'Who.' }) }),
    }),
    payload: builder.objectRef<{ readonly code: string }>('CreateReferralCodeSuccess').implement({
      description: 'The member has a code.',
      fields: (t) => ({ code: t.exposeString('code', { description: 'Such as 7QK2M-X4RBD; case does not matter.' }) }),
    }),
    errors: [CustomerNotFound, NotAMember, ReferralsDisabled],
    resolve: async ({ customerId }, context) => ({ code: await service.referralCode(context.call, customerId.id) }),
  });
  mutationField(builder, 'attributeReferral', {
    description:
      'Says that a customer came by the code of a member: once for each customer, within some days of the signup. Both are rewarded when the customer does what makes a referral successful, or at once if that was before.',
    scope: ENGAGE,
    input: builder.inputType('AttributeReferralInput', {
      description: 'A customer who came by a code.',
      fields: (t) => ({
        code: t.string({ required: true, description: 'The code, as it was typed.' }),
        customerId: t.globalID({ required: true, for: Customer, description: 'Who came.' }),
      }),
    }),
    payload: builder
      .objectRef<{ readonly referral: ReferralShape; readonly replayed: boolean }>('AttributeReferralSuccess')
      .implement({
        description: 'It is known who brought the customer.',
        fields: (t) => ({
          referral: t.field({ type: types.Referral, description: 'The referral.', resolve: (one) => one.referral }),
          replayed: t.exposeBoolean('replayed', { description: 'Whether it was known before.' }),
        }),
      }),
    errors: [
      ReferralCodeNotFound,
      CustomerNotFound,
      SelfReferral,
      AlreadyReferred,
      ReferralTooLate,
      ReferralCycle,
      ReferralsDisabled,
    ],
    resolve: ({ code, customerId }, context) =>
      service.attributeReferral(context.call, { code, customerId: customerId.id }),
  });
}

function declareErrors(builder: Builder): void {
  domainError(builder, BadgeNotFound, 'There is no badge of this key.');
  domainError(builder, ChallengeNotOpen, 'The challenge cannot be joined; the message says why.');
  domainError(builder, ReferralCodeNotFound, 'Nobody refers others by this code.');
  domainError(builder, SelfReferral, 'The two are one customer, or share an e-mail address.');
  domainError(builder, AlreadyReferred, 'The customer was brought by another member already.');
  domainError(builder, ReferralTooLate, 'The customer has been one for too long to be attributed.');
  domainError(
    builder,
    ReferralCycle,
    'The customer brought the member whose code this is, directly or through others.',
  );
  domainError(builder, ReferralsDisabled, 'The business does not offer referrals.');
}
