import type { CalibrationMap } from '../../../../src/learning/calibration/index.ts';
import type { BootstrapInterval, CalibrationBin, Confusion } from '../../../../src/learning/metrics/index.ts';
import type { DriftProfile } from './drift.ts';

export const MODEL_STATES = ['CANDIDATE', 'LIVE', 'RETIRED', 'REFUSED'] as const;
export type ModelState = (typeof MODEL_STATES)[number];

/** How trees are grown; with the same data and the same seed the model is the same to the byte. */
export interface TreeParameters {
  readonly trees: number;
  readonly depth: number;
  readonly rate: number;
  readonly minChildWeight: number;
  readonly lambda: number;
  readonly rowShare: number;
  readonly columnShare: number;
  readonly seed: number;
}

/** What a contact costs and brings; amounts in minor units of the reporting currency. */
export interface Economics {
  /** Share of contacted leavers who stay because of it, 0 to 1. */
  readonly saveRate: number;
  readonly contactCostMinor: number;
}

/** Everything that decides what is learnt from given data. */
export interface ModelParameters extends TreeParameters, Economics {}

/** What it takes to score: plain data, as it is stored. */
export interface ServedModel {
  /** JSON of the trees. */
  readonly trees: string;
  readonly calibration: CalibrationMap;
}

/** One or more snapshots, with what came of the customers in them. */
export interface WindowFacts {
  /** ISO instants, ascending. */
  readonly snapshots: readonly string[];
  /** Hashes of their content, in the same order. */
  readonly contentHashes: readonly string[];
  /** Customers who were here at a snapshot, each once per snapshot. */
  readonly rows: number;
  /** How many of them left within the horizon. */
  readonly leavers: number;
  /** When the last horizon ends. */
  readonly labelsUntil: string;
}

export interface ModelWindows {
  readonly training: WindowFacts;
  readonly calibration: WindowFacts;
  readonly test: WindowFacts;
}

/** How well probabilities tell who leaves, on rows that were not learnt from. */
export interface Quality {
  readonly rocAuc: number | null;
  readonly prAuc: number | null;
  readonly logLoss: number;
  readonly brier: number;
  /** Expected calibration error over ten bins of equal width. */
  readonly ece: number;
  /** Leavers among the tenth with the highest probabilities, over those among all. */
  readonly liftAt10: number | null;
  /** Share told rightly when 0.5 and above is said to leave. */
  readonly accuracyAtHalf: number;
}

/** Of contacting customers at or above a threshold, on the test window. */
export interface ProfitFacts {
  readonly contacted: number;
  readonly reached: number;
  readonly profitMinor: number;
  /** The same if everybody were contacted. */
  readonly profitOfAllMinor: number;
}

/** Reached on the test window. */
export interface ModelMetrics extends Quality {
  readonly calibrationCurve: readonly CalibrationBin[];
  /** At the threshold; null without one. */
  readonly confusion: Confusion | null;
  readonly profit: ProfitFacts | null;
  readonly calibrationMethod: 'ISOTONIC' | 'PLATT';
  /** Cross-validated log-loss on the calibration window, by which the method was chosen. */
  readonly calibrationLogLoss: { readonly isotonic: number; readonly platt: number };
  readonly baseline: {
    readonly rocAuc: number | null;
    /** Model less baseline; null when all customers of the window had the same fate. */
    readonly aucDifference: BootstrapInterval | null;
  };
  /** The live model of that time on the same rows; null when there was none, or it cannot read these features. */
  readonly live: (Quality & { readonly modelId: string }) | null;
}

export interface ImportanceShare {
  readonly feature: string;
  /** Share of the gain of all splits, 0 to 1. */
  readonly gain: number;
}

/** What a training gives. */
export interface TrainedModel extends ServedModel {
  readonly threshold: number | null;
  readonly metrics: ModelMetrics;
  readonly importance: readonly ImportanceShare[];
  readonly profile: DriftProfile;
}
