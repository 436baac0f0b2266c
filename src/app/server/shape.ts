import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import { RequestRefused } from './errors.ts';

/** What the mere shape of a document may be. */
export interface ShapeLimits {
  readonly maxDepth: number;
  readonly maxAliases: number;
}

/** Fields of a document once its fragments are spread; far above any sensible request. */
const maxFields = 1_000;
/** The introspection query of every tool is deeper than a request should be; validation bounds it by a rule of its own. */
const introspection = new Set(['__schema', '__type']);

interface Shape {
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
}

const nothing: Shape = { depth: 0, aliases: 0, fields: 0 };

/**
 * Refuses documents that are too deep, too wide or full of aliases. It looks at the text alone and before validation,
 * because validation itself can be made slow by such documents. Fragments are measured once each, so the check takes
 * time in proportion to the document, however often they are spread.
 */
export function checkShape(document: DocumentNode, limits: ShapeLimits): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measured = new Map<string, Shape>();

  const measureFragment = (name: string): Shape => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    if (fragment === undefined) return nothing;
    // A fragment that spreads itself counts as nothing here; validation refuses it.
    measured.set(name, nothing);
    const shape = measure(fragment.selectionSet);
    measured.set(name, shape);
    return shape;
  };

  const measure = (set: SelectionSetNode): Shape => {
    let depth = 0;
    let aliases = 0;
    let fields = 0;
    for (const selection of set.selections) {
      let inner: Shape;
      if (selection.kind === Kind.FIELD) {
        const below = selection.selectionSet === undefined ? nothing : measure(selection.selectionSet);
        const isIntrospection = introspection.has(selection.name.value);
        inner = {
          depth: isIntrospection ? 1 : below.depth + 1,
          aliases: below.aliases + (selection.alias === undefined ? 0 : 1),
          fields: below.fields + 1,
        };
      } else {
        inner =
          selection.kind === Kind.FRAGMENT_SPREAD
            ? measureFragment(selection.name.value)
            : measure(selection.selectionSet);
      }
      depth = Math.max(depth, inner.depth);
      aliases += inner.aliases;
      fields += inner.fields;
    }
    return { depth, aliases, fields };
  };

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const { depth, aliases, fields } = measure(definition.selectionSet);
    if (depth > limits.maxDepth) throw tooMuch('REQUEST_TOO_DEEP', 'levels deep', depth, limits.maxDepth);
    if (aliases > limits.maxAliases)
      throw tooMuch('REQUEST_TOO_MANY_ALIASES', 'aliases long', aliases, limits.maxAliases);
    if (fields > maxFields) throw tooMuch('REQUEST_TOO_WIDE', 'fields wide', fields, maxFields);
  }
}

const tooMuch = (code: string, measure: string, is: number, max: number): RequestRefused =>
  new RequestRefused(400, code, `The operation is ${is} ${measure}; the limit is ${max}. Ask for less at once.`, {
    is,
    max,
  });
