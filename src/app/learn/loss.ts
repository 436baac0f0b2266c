import type { Loss } from '../../learning/trees/index.ts';
import { UnusableOption } from './errors.ts';

export type LossOption = Loss;

/** The variance power of Tweedie when none is given: half-way between Poisson and gamma, as is customary. */
const TWEEDIE_POWER = 1.5;
const REMEDY = 'Give logistic, squared, poisson, tweedie, tweedie:1.5 or quantile:0.9.';

/** @throws UnusableOption */
export function lossOf(text: string): LossOption {
  const [kind, parameter, ...rest] = text.split(':');
  const number = parameter === undefined || parameter.trim() === '' ? Number.NaN : Number(parameter);
  if (rest.length === 0) {
    if (parameter === undefined && (kind === 'logistic' || kind === 'squared' || kind === 'poisson')) return { kind };
    if (kind === 'tweedie') {
      if (parameter === undefined) return { kind, power: TWEEDIE_POWER };
      if (number > 1 && number < 2) return { kind, power: number };
    }
    if (kind === 'quantile' && number > 0 && number < 1) return { kind, alpha: number };
  }
  throw new UnusableOption('--loss', text, REMEDY);
}
