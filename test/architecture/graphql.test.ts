import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { composeWithoutEngines, printContract } from '../../tools/sdl.ts';

const composition = composeWithoutEngines();
const schema = composition.buildSchema();

function ownTypes(of: GraphQLSchema): GraphQLNamedType[] {
  return Object.values(of.getTypeMap()).filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type));
}

const objectTypes = ownTypes(schema).filter(isObjectType);

/** The scope Pothos was told of for a type or field. */
function scopeOf(declared: { readonly extensions: object }): string | undefined {
  const { pothosOptions } = declared.extensions as { pothosOptions?: { authScopes?: { scope?: string } } };
  return pothosOptions?.authScopes?.scope;
}

const fieldsOf = (type: GraphQLObjectType): GraphQLField<unknown, unknown>[] => Object.values(type.getFields());

describe('the API describes itself', () => {
  test('every type, field, argument, input field and enum value has a description', () => {
    const nameless: string[] = [];
    const note = (path: string, described: { readonly description?: string | null | undefined }) => {
      if (!described.description?.trim()) nameless.push(path);
    };
    for (const type of ownTypes(schema)) {
      note(type.name, type);
      if (isEnumType(type)) for (const value of type.getValues()) note(`${type.name}.${value.name}`, value);
      if (isInputObjectType(type)) {
        for (const field of Object.values(type.getFields())) note(`${type.name}.${field.name}`, field);
      }
      if (isObjectType(type) || isInterfaceType(type)) {
        for (const field of Object.values(type.getFields())) {
          note(`${type.name}.${field.name}`, field);
          for (const arg of field.args) note(`${type.name}.${field.name}(${arg.name})`, arg);
        }
      }
    }
    expect(nameless).toEqual([]);
  });

  test('the printed contract is the same in any order of modules', () => {
    const printed = printContract(schema);
    const count = composition.modules.length;
    const orders = Array.from({ length: count }, (_, first) =>
      [...composition.modules].map((__, index) => composition.modules[(first + index) % count] ?? raise()),
    );
    for (const order of [...orders, [...composition.modules].reverse()]) {
      expect(printContract(composition.buildSchema(() => order))).toBe(printed);
    }
  });
});

describe('scopes', () => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(
    (type) => !!type,
  );

  test('every field an operation can begin with has one', () => {
    const open = roots.flatMap((type) =>
      fieldsOf(type).flatMap((field) => (scopeOf(field) === undefined ? [`${type.name}.${field.name}`] : [])),
    );
    expect(open).toEqual([]);
  });

  test('what `node` can reach has a scope of its own, since `node` itself asks for any key', () => {
    const reachable = objectTypes.filter((type) => type.getInterfaces().some(({ name }) => name === 'Node'));
    const open = reachable.flatMap((type) =>
      fieldsOf(type).flatMap((field) =>
        (scopeOf(type) ?? scopeOf(field)) === undefined && field.name !== 'id' ? [`${type.name}.${field.name}`] : [],
      ),
    );
    expect(open).toEqual([]);
  });

  test('each one used is declared, so that a key can be made with it', () => {
    const declared = new Set<string>(['any', ...composition.scopes.map(({ name }) => name)]);
    const used = objectTypes.flatMap((type) => [scopeOf(type), ...fieldsOf(type).map(scopeOf)]);
    expect([...new Set(used)].filter((scope) => scope !== undefined && !declared.has(scope))).toEqual([]);
  });

  test('each one is declared once, with a description', () => {
    const names = composition.scopes.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(composition.scopes.filter(({ description }) => description.trim() === '')).toEqual([]);
  });
});

describe('names of what modules declare', () => {
  test('handlers, jobs and modules are named once', () => {
    for (const named of [composition.modules, composition.handlers, composition.jobs]) {
      const names = named.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
    }
  });
});

function raise(): never {
  throw new Error('no such module');
}
