import { checkLoss } from './settings.ts';
import { type Tree, TreeInputError, type TreeModel } from './types.ts';

const FORMAT = 'holdfast-trees';
const VERSION = 1;

/** Writes a model as JSON text; the same model gives the same text. The format is described at `fromJson`. */
export function toJson(model: TreeModel): string {
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    loss: model.loss,
    names: model.names,
    categorical: model.categorical,
    base: model.base,
    trees: model.trees.map((tree) => ({
      feature: [...tree.feature],
      threshold: [...tree.threshold],
      left: [...tree.left],
      missingLeft: [...tree.missingLeft],
      value: [...tree.value],
      cover: [...tree.cover],
      gain: [...tree.gain],
      categories: tree.categories.map((categories) => (categories === null ? null : [...categories])),
    })),
  });
}

/**
 * Reads what `toJson` wrote; every number comes back exactly.
 *
 * The text is one object: `format` "holdfast-trees"; `version` 1, raised when older readers would misread; `loss`, as in
 * training; `names`, one per column; `categorical`, column numbers, ascending; `base`, the raw score before the first
 * tree; `trees`. A tree has eight lists with an entry per node, the root first: `feature` (a column, -1 in a leaf),
 * `threshold`, `left` (number of the left child, higher than the node's own; the right one is the next), `missingLeft`
 * (0 or 1), `value`, `cover`, `gain`, `categories` (null, or in a categorical split those that go left).
 *
 * @throws TreeInputError when the text is not such a model; `field` names the first part that is wrong
 */
export function fromJson(text: string): TreeModel {
  const model = objectOf('model', parse(text));
  if (model.format !== FORMAT) throw new TreeInputError('format', `has to be ${FORMAT}`);
  if (model.version !== VERSION) {
    throw new TreeInputError('version', `is ${JSON.stringify(model.version)}, and this program reads ${VERSION}`);
  }
  const names = listOf('names', model.names).map((name, index) => {
    if (typeof name !== 'string') throw new TreeInputError(`names[${index}]`, 'has to be a text');
    return name;
  });
  const columns = names.length;
  const categorical = numbersOf('categorical', model.categorical, { whole: true, least: 0, most: columns - 1 });
  const loss = lossOf(model.loss);
  const base = numberOf('base', model.base, {});
  const trees = listOf('trees', model.trees).map((tree, index) =>
    treeOf(`trees[${index}]`, tree, columns, categorical),
  );
  return { loss, columns, names, categorical, base, trees };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TreeInputError('model', 'is not JSON');
  }
}

function lossOf(given: unknown): TreeModel['loss'] {
  const { kind, power, alpha } = objectOf('loss', given);
  switch (kind) {
    case 'logistic':
    case 'squared':
    case 'poisson':
      return { kind };
    case 'tweedie':
      return checkLoss({ kind, power: numberOf('loss.power', power, {}) });
    case 'quantile':
      return checkLoss({ kind, alpha: numberOf('loss.alpha', alpha, {}) });
    default:
      throw new TreeInputError('loss.kind', 'has to be logistic, squared, poisson, tweedie or quantile');
  }
}

function treeOf(field: string, given: unknown, columns: number, categorical: readonly number[]): Tree {
  const tree = objectOf(field, given);
  const feature = numbersOf(`${field}.feature`, tree.feature, { whole: true, least: -1, most: columns - 1 });
  const count = feature.length;
  if (count === 0) throw new TreeInputError(`${field}.feature`, 'has to have a node');
  const numbers = (name: string, range: Range): number[] => numbersOf(`${field}.${name}`, tree[name], range, count);
  const left = numbers('left', { whole: true, least: 0, most: count - 1 });
  const categories = listOf(`${field}.categories`, tree.categories, count).map((set, node) => {
    const isSplit = feature[node]! >= 0 && categorical.includes(feature[node]!);
    if (isSplit !== (set !== null)) {
      throw new TreeInputError(`${field}.categories[${node}]`, isSplit ? 'is missing' : 'has to be null');
    }
    if (set === null) return null;
    return Int32Array.from(
      numbersOf(`${field}.categories[${node}]`, set, { whole: true, least: 0, most: 2 ** 31 - 1 }),
    );
  });
  checkShape(field, feature, left);
  return {
    feature: Int32Array.from(feature),
    threshold: Float64Array.from(numbers('threshold', {})),
    left: Int32Array.from(left),
    missingLeft: Uint8Array.from(numbers('missingLeft', { whole: true, least: 0, most: 1 })),
    value: Float64Array.from(numbers('value', {})),
    cover: Float64Array.from(numbers('cover', { least: 0 })),
    gain: Float64Array.from(numbers('gain', { least: 0 })),
    categories,
  };
}

/** Every node but the root is the child of one node before it, so that each walk ends in a leaf. */
function checkShape(field: string, feature: readonly number[], left: readonly number[]): void {
  const seen = new Set<number>();
  for (const [node, column] of feature.entries()) {
    const child = left[node]!;
    if (column < 0 ? child === 0 : child > node && child + 1 < feature.length && !seen.has(child)) {
      if (column >= 0) seen.add(child).add(child + 1);
      continue;
    }
    throw new TreeInputError(
      `${field}.left[${node}]`,
      column < 0 ? 'has to be 0 in a leaf' : 'is no child of this node',
    );
  }
  if (seen.size !== feature.length - 1) throw new TreeInputError(`${field}.left`, 'leaves nodes out');
}

function objectOf(field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TreeInputError(field, 'has to be an object');
  }
  return { ...value };
}

function listOf(field: string, value: unknown, length?: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new TreeInputError(field, 'has to be a list');
  if (length !== undefined && value.length !== length) {
    throw new TreeInputError(field, `has ${value.length} entries for ${length} nodes`);
  }
  return value;
}

interface Range {
  readonly whole?: boolean;
  readonly least?: number;
  readonly most?: number;
}

function numbersOf(field: string, value: unknown, range: Range, length?: number): number[] {
  return listOf(field, value, length).map((entry, index) => numberOf(`${field}[${index}]`, entry, range));
}

function numberOf(field: string, value: unknown, { whole = false, least, most }: Range): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TreeInputError(field, 'has to be a number');
  if (whole && !Number.isInteger(value)) throw new TreeInputError(field, 'has to be a whole number');
  if (least !== undefined && value < least) throw new TreeInputError(field, `has to be at least ${least}`);
  if (most !== undefined && value > most) throw new TreeInputError(field, `has to be at most ${most}`);
  return value;
}
