import { type Minimum, minimise } from '../optimise/lbfgs.ts';
import { polish } from '../optimise/newton.ts';
import type { Objective } from '../optimise/objective.ts';

/** Steps after which a search is far enough on to tell which start leads lower. */
const FIRST_ITERATIONS = 12;

/** Where values no longer tell steps apart, though gradients still do: from here on Newton steps finish. */
const GRADIENT_MAX = 1e-7;

/** L-BFGS on the logarithms of parameters, from the start that leads lower, and Newton steps at the end. */
export function minimiseFromBest(objective: Objective, starts: readonly (readonly number[])[]): Minimum {
  const first = starts.map((start) =>
    minimise(objective, start.map(Math.log), { gradientMax: GRADIENT_MAX, iterationsMax: FIRST_ITERATIONS }),
  );
  const best = first.reduce((left, right) => (right.value < left.value ? right : left));
  const found = minimise(objective, best.at, { gradientMax: GRADIENT_MAX });
  const polished = polish(objective, found);
  return { ...polished, iterations: best.iterations + polished.iterations };
}
