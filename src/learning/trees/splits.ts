import type { ColumnBins } from './bins.ts';
import { CANDIDATE_SIZE, type Memory, NODE_SIZE, type Plan, SET_WORDS } from './memory.ts';
import type { Settings } from './settings.ts';

/** What a candidate's numbers mean, at their places in `memory.candidates`. */
export const CANDIDATE = { gain: 0, column: 1, bin: 2, missingLeft: 3, leftGradient: 4, leftHessian: 5 } as const;

/** A split must gain more than this share of the scores it is the difference of: less is rounding. */
const ROUNDING = 1e-12;
/** Hessian added when categories are put in order, so that rare ones do not lead it by chance (LightGBM's cat_smooth). */
const CATEGORY_SMOOTHING = 10;

/** The leaf value that suits sums of gradients and hessians best, before the learning rate. */
export function leafValue(settings: Settings, gradient: number, hessian: number, least: number, most: number): number {
  const weight = hessian + settings.lambda;
  if (weight <= 0) return 0;
  return Math.min(Math.max(-softened(gradient, settings.alpha) / weight, least), most);
}

/** The gradient that is left of L1 regularisation. */
function softened(gradient: number, alpha: number): number {
  if (alpha === 0) return gradient;
  return Math.sign(gradient) * Math.max(Math.abs(gradient) - alpha, 0);
}

/** The penalised loss that a leaf takes away, at its best value. */
function scoreOf(gradient: number, hessian: number, lambda: number, alpha: number): number {
  const soft = softened(gradient, alpha);
  return (soft * soft) / (2 * (hessian + lambda));
}

/** The same at a given value, that need not be the best. */
function scoreAt(value: number, gradient: number, hessian: number, lambda: number, alpha: number): number {
  return -(gradient * value + ((hessian + lambda) * value * value) / 2 + alpha * Math.abs(value));
}

/** Looks for the best split of a node among columns, one after the other. */
export interface Judge {
  /** Takes up the node whose histogram is in `slot`. */
  begin(slot: number): void;
  tryColumn(column: number): void;
  /** Writes the best split found to `memory.candidates`; its gain is 0 when there is none. */
  end(): void;
}

/** Sums in histograms are whole numbers of `gradientUnit` and `hessianUnit`, so that they are exact in any order. */
export function createJudge(
  settings: Settings,
  plan: Plan,
  memory: Memory,
  bins: readonly ColumnBins[],
  thread: number,
): Judge {
  const { lambda, alpha, minChildWeight, minGain, monotone } = settings;
  const { histograms, nodes, candidates, candidateSets, parameters } = memory;
  const size = plan.binStart[plan.columns]! * 2;
  const bestSet = new Uint32Array(SET_WORDS);
  const ranks = Array.from({ length: 256 }, (_, bin) => bin);
  const ratios = new Float64Array(256);
  let slot = 0;
  let gradientUnit = 1;
  let hessianUnit = 1;
  let nodeGradient = 0;
  let nodeHessian = 0;
  let least = 0;
  let most = 0;
  let bounded = false;
  let nodeScore = 0;
  let gain = 0;
  let best = { column: -1, bin: 0, missingLeft: 0, gradient: 0, hessian: 0 };

  /** Weighs the split that sends these sums left. True when it is the best so far. */
  function weigh(gradientUnits: number, hessianUnits: number, direction: number): boolean {
    const leftHessian = hessianUnits * hessianUnit;
    const rightHessian = nodeHessian - leftHessian;
    if (leftHessian < minChildWeight || rightHessian < minChildWeight) return false;
    if (leftHessian <= 0 || rightHessian <= 0) return false;
    const leftGradient = gradientUnits * gradientUnit;
    const rightGradient = nodeGradient - leftGradient;
    let left: number;
    let right: number;
    if (bounded || direction !== 0) {
      const leftValue = leafValue(settings, leftGradient, leftHessian, least, most);
      const rightValue = leafValue(settings, rightGradient, rightHessian, least, most);
      if (direction > 0 ? leftValue > rightValue : direction < 0 && leftValue < rightValue) return false;
      left = scoreAt(leftValue, leftGradient, leftHessian, lambda, alpha);
      right = scoreAt(rightValue, rightGradient, rightHessian, lambda, alpha);
    } else {
      left = scoreOf(leftGradient, leftHessian, lambda, alpha);
      right = scoreOf(rightGradient, rightHessian, lambda, alpha);
    }
    const found = left + right - nodeScore;
    if (!(found > gain) || found <= minGain || found <= ROUNDING * (left + right)) return false;
    gain = found;
    return true;
  }

  function keep(column: number, bin: number, missingLeft: number, gradient: number, hessian: number): void {
    best = { column, bin, missingLeft, gradient, hessian };
  }

  function tryNumeric(column: number, start: number, count: number): void {
    const direction = monotone === null ? 0 : monotone[column]!;
    const missing = start + 2 * (count - 1);
    const missingGradient = histograms[missing]!;
    const missingHessian = histograms[missing + 1]!;
    const someMissing = missingHessian !== 0 || missingGradient !== 0;
    // Without missing values the last bin ends the feature: nothing would be left for the right side.
    const end = someMissing ? count - 1 : count - 2;
    let gradient = 0;
    let hessian = 0;
    for (let bin = 0; bin < end; bin++) {
      const binGradient = histograms[start + 2 * bin]!;
      const binHessian = histograms[start + 2 * bin + 1]!;
      if (binHessian === 0 && binGradient === 0) continue;
      gradient += binGradient;
      hessian += binHessian;
      if (weigh(gradient, hessian, direction)) {
        // Rows to come may miss what no row missed so far: they follow the heavier side.
        const missingLeft = !someMissing && hessian * hessianUnit * 2 >= nodeHessian ? 1 : 0;
        keep(column, bin, missingLeft, gradient, hessian);
      }
      if (someMissing && weigh(gradient + missingGradient, hessian + missingHessian, direction)) {
        keep(column, bin, 1, gradient + missingGradient, hessian + missingHessian);
      }
    }
  }

  /** For a convex loss the best subset of categories is a head of them in the order of their means (Fisher 1958). */
  function tryCategories(column: number, start: number, count: number): void {
    const missing = start + 2 * (count - 1);
    const missingGradient = histograms[missing]!;
    const missingHessian = histograms[missing + 1]!;
    let used = 0;
    for (let bin = 0; bin < count - 2; bin++) {
      const binHessian = histograms[start + 2 * bin + 1]!;
      if (binHessian === 0) continue;
      ranks[used++] = bin;
      ratios[bin] =
        (histograms[start + 2 * bin]! * gradientUnit) / (binHessian * hessianUnit + lambda + CATEGORY_SMOOTHING);
    }
    const order = ranks.slice(0, used).sort((a, b) => ratios[a]! - ratios[b]! || a - b);
    // From both ends, since the categories that are not told apart always go right.
    for (const inOrder of [order, order.toReversed()]) {
      let gradient = 0;
      let hessian = 0;
      for (let taken = 0; taken < used; taken++) {
        gradient += histograms[start + 2 * inOrder[taken]!]!;
        hessian += histograms[start + 2 * inOrder[taken]! + 1]!;
        for (const missingLeft of [0, 1]) {
          const leftGradient = gradient + missingLeft * missingGradient;
          const leftHessian = hessian + missingLeft * missingHessian;
          if (!weigh(leftGradient, leftHessian, 0)) continue;
          keep(column, 0, missingLeft, leftGradient, leftHessian);
          bestSet.fill(0);
          for (const bin of inOrder.slice(0, taken + 1)) bestSet[bin >> 5]! |= 1 << (bin & 31);
        }
      }
    }
  }

  return {
    begin(nodeSlot) {
      slot = nodeSlot;
      gradientUnit = parameters[0]!;
      hessianUnit = parameters[1]!;
      nodeGradient = nodes[slot * NODE_SIZE]!;
      nodeHessian = nodes[slot * NODE_SIZE + 1]!;
      least = nodes[slot * NODE_SIZE + 2]!;
      most = nodes[slot * NODE_SIZE + 3]!;
      bounded = least > Number.NEGATIVE_INFINITY || most < Number.POSITIVE_INFINITY;
      const value = leafValue(settings, nodeGradient, nodeHessian, least, most);
      nodeScore = bounded
        ? scoreAt(value, nodeGradient, nodeHessian, lambda, alpha)
        : scoreOf(nodeGradient, nodeHessian, lambda, alpha);
      gain = 0;
      best = { column: -1, bin: 0, missingLeft: 0, gradient: 0, hessian: 0 };
    },
    tryColumn(column) {
      if (nodeHessian < 2 * minChildWeight) return;
      const start = slot * size + 2 * plan.binStart[column]!;
      const { categories, count } = bins[column]!;
      if (categories === null) tryNumeric(column, start, count);
      else tryCategories(column, start, count);
    },
    end() {
      const at = slot * plan.threads + thread;
      candidates.set(
        [gain, best.column, best.bin, best.missingLeft, best.gradient * gradientUnit, best.hessian * hessianUnit],
        at * CANDIDATE_SIZE,
      );
      candidateSets.set(bestSet, at * SET_WORDS);
    },
  };
}
