import { type IsotonicMap, isotonicAt } from './isotonic.ts';
import { type PlattMap, plattAt } from './platt.ts';

export { fitIsotonic, type IsotonicMap, isotonicAt } from './isotonic.ts';
export { fitPlatt, type PlattMap } from './platt.ts';
export { breakEvenProbability, type ContactEconomics, chooseThreshold, type ThresholdChoice } from './profit.ts';

/** From a model's scores to probabilities; plain JSON. */
export type CalibrationMap = IsotonicMap | PlattMap;

/** The probabilities of scores. */
export function calibrate(map: CalibrationMap, scores: ArrayLike<number>): Float64Array {
  return Float64Array.from(scores, (score) => (map.kind === 'platt' ? plattAt(map, score) : isotonicAt(map, score)));
}
