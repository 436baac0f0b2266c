import { dot, type Objective } from './objective.ts';

/** Nocedal and Wright's constants for quasi-Newton directions. */
const DECREASE = 1e-4;
const CURVATURE = 0.9;
const EVALUATIONS_MAX = 25;

export interface SearchPoint {
  readonly step: number;
  readonly at: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  readonly slope: number;
}

interface Line {
  readonly at: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  readonly direction: Float64Array;
  readonly first: number;
}

/** Where a cubic through two values and slopes has its minimum, kept off the ends of the bracket; else the middle. */
function cubicMinimum(low: SearchPoint, high: SearchPoint): number {
  const middle = (low.step + high.step) / 2;
  if (!Number.isFinite(high.value) || !Number.isFinite(high.slope)) return middle;
  const width = high.step - low.step;
  const d1 = low.slope + high.slope - (3 * (high.value - low.value)) / width;
  const square = d1 * d1 - low.slope * high.slope;
  if (!(square >= 0)) return middle;
  const d2 = Math.sign(width) * Math.sqrt(square);
  const step = high.step - (width * (high.slope + d2 - d1)) / (high.slope - low.slope + 2 * d2);
  const [from, to] = low.step < high.step ? [low.step, high.step] : [high.step, low.step];
  const margin = 0.1 * (to - from);
  return step > from + margin && step < to - margin ? step : middle;
}

/**
 * A step along the direction that satisfies the strong Wolfe conditions (Nocedal, Wright, algorithms 3.5 and 3.6), or the lowest point
 * seen when the precision of numbers allows no better; null when no point is lower than the start.
 */
export function wolfeSearch(
  objective: Objective,
  line: Line,
): { readonly point: SearchPoint | null; readonly evaluations: number } {
  const { at, direction } = line;
  let evaluations = 0;
  const evaluate = (step: number): SearchPoint => {
    evaluations++;
    const place = at.map((component, i) => component + step * direction[i]!);
    const gradient = new Float64Array(at.length);
    const value = objective(place, gradient);
    return {
      step,
      at: place,
      value: Number.isNaN(value) ? Infinity : value,
      gradient,
      slope: dot(gradient, direction),
    };
  };
  const start: SearchPoint = {
    step: 0,
    at,
    value: line.value,
    gradient: line.gradient,
    slope: dot(line.gradient, direction),
  };
  const tooHigh = (point: SearchPoint) => point.value > start.value + DECREASE * point.step * start.slope;
  const flatEnough = (point: SearchPoint) => Math.abs(point.slope) <= -CURVATURE * start.slope;

  let low = start;
  let high: SearchPoint | null = null;
  for (let step = line.first; evaluations < EVALUATIONS_MAX; step *= 2) {
    const point = evaluate(step);
    if (tooHigh(point) || (low !== start && point.value >= low.value)) {
      high = point;
      break;
    }
    if (flatEnough(point)) return { point, evaluations };
    if (point.slope >= 0) {
      high = low;
      low = point;
      break;
    }
    low = point;
  }
  while (high !== null && evaluations < EVALUATIONS_MAX) {
    const point = evaluate(cubicMinimum(low, high));
    if (point.step === low.step || point.step === high.step) break;
    if (tooHigh(point) || point.value >= low.value) {
      high = point;
    } else {
      if (flatEnough(point)) return { point, evaluations };
      if (point.slope * (high.step - low.step) >= 0) high = low;
      low = point;
    }
  }
  return { point: low.value < start.value ? low : null, evaluations };
}
