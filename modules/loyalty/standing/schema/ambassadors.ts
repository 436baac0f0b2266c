import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  domainError,
  isId,
  mutationField,
  pageOf,
} from '../../../../src/core/builder/index.ts';
import { InvalidInput } from '../../../../src/core/errors.ts';
import { eventSubscription } from '../../../../src/core/events/schema.ts';
import { customerRef, customerResolver } from '../../../../src/core/graph/index.ts';
import { CustomerNotFound } from '../../../customers/contract.ts';
import { AmbassadorNotInvited, NotAnAmbassador } from '../errors.ts';
import { ambassadorInvited, ambassadorThanked } from '../events.ts';
import { AMBASSADOR_STATES } from '../queries-ambassadors.ts';
import type { StandingService } from '../service.ts';
import type { AmbassadorShown, AmbassadorStep } from '../service-ambassadors.ts';
import { type BandType, SCOPE } from './score.ts';

/** `Query.loyaltyAmbassadors`, and inviting and thanking them. */
export function ambassadorSchema(builder: Builder, service: StandingService, Band: BandType): void {
  const State = builder.enumType('AmbassadorState', {
    description: 'How far an ambassador has come.',
    values: {
      CANDIDATE: { description: 'Fulfils what is asked, and was not invited yet.' },
      INVITED: { description: 'Was invited.' },
      THANKED: { description: 'Was invited and thanked.' },
    } as const,
  });
  const Ambassador = builder.objectRef<AmbassadorShown>('Ambassador').implement({
    description: 'A Champion who referred somebody and would recommend us (NPS 9-10), or was one when invited.',
    fields: (t) => ({
      customer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'The customer; null when it is known no more.',
        resolve: customerResolver(builder, (one: AmbassadorShown) => one.customerId),
      }),
      state: t.field({ type: State, description: 'How far it has come.', resolve: (a) => a.state }),
      eligible: t.exposeBoolean('eligible', { description: 'Whether it fulfils now what is asked.' }),
      band: t.field({ type: Band, nullable: true, description: 'Its band now.', resolve: (a) => a.band }),
      score: t.exposeFloat('score', { nullable: true, description: 'Its loyalty score now.' }),
      referrals: t.exposeInt('referrals', { description: 'Referrals that count.' }),
      lastNps: t.exposeFloat('lastNps', { nullable: true, description: 'Its last NPS answer.' }),
      invitedAt: t.expose('invitedAt', { type: 'DateTime', nullable: true, description: 'When it was invited.' }),
      thankedAt: t.expose('thankedAt', { type: 'DateTime', nullable: true, description: 'When it was thanked.' }),
    }),
  });
  builder.queryField('loyaltyAmbassadors', (t) =>
    t.field({
      type: connectionType(builder, { name: 'Ambassador', node: Ambassador }),
      description: 'Customers who may be ambassadors, and those who are, in the order of their ids.',
      authScopes: { scope: SCOPE },
      args: {
        ...connectionArgs(t.arg),
        states: t.arg({ type: [State], description: 'Only these states; all when left out.' }),
      },
      complexity: ({ first }) => ({ field: 10, multiplier: first ?? 20 }),
      resolve: async (_root, { first, after, states }) => {
        const place = typeof after === 'string' ? placeOf(decodeCursor(after, 1)) : null;
        const limit = checkFirst(first) + 1;
        const rows = await service.ambassadors({ states: states ?? AMBASSADOR_STATES, after: place, limit });
        return pageOf(rows, { first, after, cursorOf: ({ customerId }) => [customerId] });
      },
    }),
  );

  domainError(builder, NotAnAmbassador, 'The customer does not fulfil what is asked of an ambassador.', (t) => ({
    lacks: t.field({
      type: [
        builder.enumType('AmbassadorLack', {
          description: 'What a customer lacks to be an ambassador.',
          values: {
            BAND: { description: 'It is no Champion.' },
            REFERRAL: { description: 'It has referred nobody.' },
            NPS: { description: 'Its last NPS answer is not 9 or 10.' },
          } as const,
        }),
      ],
      description: 'What it lacks.',
      resolve: (error) => [...error.lacks],
    }),
  }));
  domainError(builder, AmbassadorNotInvited, 'The customer was not invited to be an ambassador.');

  const input = (name: string, description: string) =>
    builder.inputType(name, {
      description,
      fields: (t) => ({
        customerId: t.globalID({ required: true, for: customerRef(builder), description: 'Which customer.' }),
      }),
    });
  const success = (name: string, description: string, already: 'alreadyInvited' | 'alreadyThanked') =>
    builder.objectRef<AmbassadorStep>(name).implement({
      description,
      fields: (t) => ({
        ambassador: t.field({ type: Ambassador, description: 'The ambassador.', resolve: (s) => s.ambassador }),
        [already]: t.boolean({
          description: 'Whether that was done before: then nothing was done now.',
          resolve: (s: AmbassadorStep) => s.already,
        }),
      }),
    });
  mutationField(builder, 'inviteAmbassador', {
    description: 'Invites a Champion who referred somebody and answered 9-10 to be an ambassador. That happens once.',
    scope: 'loyalty:award',
    input: input('InviteAmbassadorInput', 'Whom to invite.'),
    payload: success('InviteAmbassadorSuccess', 'The customer is invited.', 'alreadyInvited'),
    errors: [CustomerNotFound, NotAnAmbassador],
    resolve: ({ customerId }, context) => service.inviteAmbassador(context.call, customerId.id),
  });
  mutationField(builder, 'thankAmbassador', {
    description: 'Thanks an ambassador. That happens once; messages and rewards may follow the event.',
    scope: 'loyalty:award',
    input: input('ThankAmbassadorInput', 'Whom to thank.'),
    payload: success('ThankAmbassadorSuccess', 'The ambassador is thanked.', 'alreadyThanked'),
    errors: [CustomerNotFound, AmbassadorNotInvited],
    resolve: ({ customerId }, context) => service.thankAmbassador(context.call, customerId.id),
  });

  eventSubscription(builder, {
    field: 'ambassadorInvited',
    description: 'Invitations to be an ambassador.',
    scope: SCOPE,
    definition: ambassadorInvited,
    type: 'AmbassadorInvited',
    fields: (t) => ({
      score: t.float({ description: 'Its loyalty score then.', resolve: (event) => event.payload.score }),
      referrals: t.int({ description: 'Its referrals then.', resolve: (event) => event.payload.referrals }),
    }),
  });
  eventSubscription(builder, {
    field: 'ambassadorThanked',
    description: 'Thanks to ambassadors.',
    scope: SCOPE,
    definition: ambassadorThanked,
    type: 'AmbassadorThanked',
    fields: (t) => ({
      invitedAt: t.field({
        type: 'DateTime',
        description: 'When it was invited.',
        resolve: (event) => new Date(event.payload.invitedAt),
      }),
      referrals: t.int({ description: 'Its referrals then.', resolve: (event) => event.payload.referrals }),
    }),
  });
}

function placeOf([id]: readonly (string | number | null)[]): string {
  if (typeof id === 'string' && isId(id)) return id;
  throw new InvalidInput('The cursor does not fit this list.', { path: ['after'] });
}
