import type PrismaTypes from '../../generated/pothos-prisma.ts';
import type { Scope } from '../access/principal.ts';
import type { Context } from './context.ts';
import type { ScalarTypes } from './scalars.ts';
import type { NamedInterfaces, NamedObjects } from './shapes.ts';

/** What Holdfast tells Pothos of its types. */
export interface OwnTypes {
  Context: Context;
  PrismaTypes: PrismaTypes;
  Scalars: ScalarTypes;
  Objects: NamedObjects;
  Interfaces: NamedInterfaces;
  AuthScopes: { scope: Scope };
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}

/** The types every schema file is checked against. */
export interface BuilderTypes extends PothosSchemaTypes.ExtendDefaultTypes<OwnTypes> {}

/**
 * The Pothos builder of Holdfast. A module's schema file is a function of it:
 *
 *     export const loyaltySchema = (service: LoyaltyService) => (builder: Builder) => {
 *       domainError(builder, EarningCapReached, 'The earning rule gives no more points in this period.');
 *       const Input = builder.inputType('AwardPointsInput', { fields: (t) => ({ points: t.field({ type: 'PositiveInt' }) }) });
 *       mutationField(builder, 'awardPoints', {
 *         description: 'Gives points by a rule.', scope: 'loyalty:award', input: Input, payload: AwardPointsSuccess,
 *         errors: [EarningCapReached], resolve: (input, context) => service.awardPoints(context.call, input),
 *       });
 *     };
 */
export type Builder = PothosSchemaTypes.SchemaBuilder<BuilderTypes>;
