import { type GraphQLSchema, isObjectType } from 'graphql';

const plainRead = /^\(?\s*(\w+)\s*\)?\s*=>\s*\1\s*\.\s*(\w+)\s*$/;

/**
 * Leaves out resolvers that only read the property of their field's own name (`(entry) => entry.kind` of `kind`), which
 * is what an executor does by itself. A page has a thousand such fields: without a resolver the compiled executor reads
 * the property in place, and the customer graph knows that the field is the column of its name.
 */
export function leaveOutPlainReads(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const { resolve, extensions } = field;
      if (resolve === undefined || resolve === null || extensions.pothosResolveWrapped === true) continue;
      if (plainRead.exec(resolve.toString())?.[2] === field.name) delete field.resolve;
    }
  }
}
