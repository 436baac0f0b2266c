export { digamma, digammaRise, logGamma, logGammaRise } from './gamma.ts';
export { hypergeometric2F1 } from './hypergeometric.ts';
export { type Interval, normalQuantile, proportionDifferenceInterval, proportionInterval } from './normal.ts';
