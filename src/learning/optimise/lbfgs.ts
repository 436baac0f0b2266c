import { wolfeSearch } from './line-search.ts';
import { dot, largest, type Objective } from './objective.ts';

export interface MinimiseOptions {
  /** Ends when no component of the gradient is larger than this. */
  readonly gradientMax?: number;
  readonly iterationsMax?: number;
  /** Pairs of steps remembered; 10 is the usual choice. */
  readonly memory?: number;
}

export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  readonly iterations: number;
  readonly evaluations: number;
  /** Why it ended: only `gradient` and `flat` (no lower value within the precision of numbers) mean a minimum. */
  readonly ended: 'gradient' | 'flat' | 'iterations';
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** The quasi-Newton direction: the two-loop recursion (Nocedal, Wright: Numerical Optimization, algorithm 7.4). */
function directionOf(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((component) => -component);
  const weights = new Float64Array(pairs.length);
  for (let at = pairs.length - 1; at >= 0; at--) {
    const { step, change, curvature } = pairs[at]!;
    const weight = dot(step, direction) / curvature;
    weights[at] = weight;
    for (let i = 0; i < direction.length; i++) direction[i]! -= weight * change[i]!;
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = last.curvature / dot(last.change, last.change);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (let at = 0; at < pairs.length; at++) {
    const { step, change, curvature } = pairs[at]!;
    const weight = weights[at]! - dot(change, direction) / curvature;
    for (let i = 0; i < direction.length; i++) direction[i]! += weight * step[i]!;
  }
  return direction;
}

/**
 * Limited-memory BFGS (Liu, Nocedal 1989) with a strong Wolfe line search. The objective may return Infinity where it is not
 * defined; the start must be within its domain.
 */
export function minimise(objective: Objective, start: ArrayLike<number>, options: MinimiseOptions = {}): Minimum {
  const { gradientMax = 1e-8, iterationsMax = 500, memory = 10 } = options;
  let at: Float64Array = Float64Array.from(start);
  let gradient: Float64Array = new Float64Array(at.length);
  let value = objective(at, gradient);
  if (!Number.isFinite(value)) throw new RangeError('The objective is not defined at the start.');
  let evaluations = 1;
  let pairs: Pair[] = [];
  const end = (iterations: number, ended: Minimum['ended']): Minimum => ({
    at,
    value,
    gradient,
    iterations,
    evaluations,
    ended,
  });

  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    if (largest(gradient) <= gradientMax) return end(iteration, 'gradient');
    let direction = directionOf(gradient, pairs);
    if (!(dot(direction, gradient) < 0)) {
      pairs = [];
      direction = directionOf(gradient, pairs);
    }
    // The first step has no scale of its own yet.
    const first = pairs.length === 0 ? Math.min(1, 1 / largest(gradient)) : 1;
    const found = wolfeSearch(objective, { at, value, gradient, direction, first });
    evaluations += found.evaluations;
    if (found.point === null) {
      if (pairs.length === 0) return end(iteration, 'flat');
      pairs = [];
      continue;
    }
    const next = found.point;
    const step = next.at.map((component, i) => component - at[i]!);
    const change = next.gradient.map((component, i) => component - gradient[i]!);
    const curvature = dot(step, change);
    if (curvature > Number.EPSILON * dot(change, change))
      pairs = [...pairs, { step, change, curvature }].slice(-memory);
    ({ at, value, gradient } = next);
  }
  return end(iterationsMax, largest(gradient) <= gradientMax ? 'gradient' : 'iterations');
}
