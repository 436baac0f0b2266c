export {
  type BgNbdFit,
  type BgNbdParameters,
  bgNbdLogLikelihood,
  bgNbdObjective,
  fitBgNbd,
} from './bgnbd.ts';
export {
  type Customer,
  conditionalPurchases,
  discountedPurchases,
  expectedPurchases,
  type LifetimeValueOptions,
  probabilityAlive,
} from './expectations.ts';
export {
  expectedValue,
  fitGammaGamma,
  type GammaGammaFit,
  type GammaGammaParameters,
  gammaGammaObjective,
} from './gamma-gamma.ts';
export type { PurchaseHistory } from './history.ts';
export { type Boundary, type FitOutcome, LifetimeDataError } from './result.ts';
