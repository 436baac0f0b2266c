import type { Builder } from '../../../../src/core/builder/index.ts';
import type { CalibrationBin, Confusion } from '../../../../src/learning/metrics/index.ts';
import type { ModelMetrics, ProfitFacts, Quality } from '../domain/model.ts';

/** A quality with what else is shown of it. */
type Interval = NonNullable<ModelMetrics['baseline']['aucDifference']>;
type Profit = ProfitFacts & { readonly currency: string };
/** What a model reached, with the currency of its amounts. */
export type ShownMetrics = ModelMetrics & { readonly currency: string };

/** What models reached. */
export function metricsTypes(builder: Builder) {
  const QualityRef = builder.objectRef<Quality>('ChurnModelQuality').implement({
    description: 'How well probabilities tell who leaves, on customers of the test window, whom no model learnt from.',
    fields: (t) => ({
      rocAuc: t.exposeFloat('rocAuc', {
        nullable: true,
        description:
          'Area under the ROC curve: how often a leaver gets a higher probability than one who stays. Null when all had the same fate.',
      }),
      prAuc: t.exposeFloat('prAuc', {
        nullable: true,
        description: 'Area under the precision-recall curve (average precision).',
      }),
      logLoss: t.exposeFloat('logLoss', { description: 'Mean negative log-likelihood.' }),
      brier: t.exposeFloat('brier', { description: 'Mean squared distance of the probabilities from what came.' }),
      ece: t.exposeFloat('ece', { description: 'Expected calibration error over ten bins of equal width.' }),
      liftAt10: t.exposeFloat('liftAt10', {
        nullable: true,
        description:
          'How many times more leavers there are among the tenth with the highest probabilities than among all.',
      }),
      accuracyAtHalf: t.exposeFloat('accuracyAtHalf', {
        description: 'Share told rightly when 0.5 and above is said to leave. Not what the threshold is chosen by.',
      }),
    }),
  });
  const IntervalRef = builder.objectRef<Interval>('BootstrapInterval').implement({
    description: 'An estimate and the interval that holds the truth with the stated probability, by bootstrap.',
    fields: (t) => ({
      estimate: t.exposeFloat('estimate', { description: 'The estimate.' }),
      low: t.exposeFloat('low', { description: 'Lower end.' }),
      high: t.exposeFloat('high', { description: 'Upper end.' }),
      level: t.exposeFloat('level', { description: 'Share of such intervals that hold the truth, e.g. 0.95.' }),
      replicates: t.exposeInt('replicates', { description: 'Resamples it stands on.' }),
    }),
  });
  const BinRef = builder.objectRef<CalibrationBin>('CalibrationBin').implement({
    description: 'What was predicted and what came, of the customers within a range of probabilities.',
    fields: (t) => ({
      from: t.exposeFloat('from', { description: 'Lowest probability.' }),
      to: t.exposeFloat('to', { description: 'Up to this one; the last bin includes it.' }),
      count: t.exposeInt('count', { description: 'Customers.' }),
      predicted: t.exposeFloat('predicted', {
        nullable: true,
        description: 'Mean probability; null without customers.',
      }),
      observed: t.exposeFloat('observed', { nullable: true, description: 'Share who left; null without customers.' }),
    }),
  });
  const ConfusionRef = builder.objectRef<Confusion>('ChurnConfusion').implement({
    description: 'Customers by what was said (at or above the threshold: leaves) and what came.',
    fields: (t) => ({
      truePositives: t.exposeInt('truePositives', { description: 'Said to leave, and left.' }),
      falsePositives: t.exposeInt('falsePositives', { description: 'Said to leave, and stayed.' }),
      trueNegatives: t.exposeInt('trueNegatives', { description: 'Said to stay, and stayed.' }),
      falseNegatives: t.exposeInt('falseNegatives', { description: 'Said to stay, and left.' }),
      accuracy: t.exposeFloat('accuracy', { description: 'Share told rightly.' }),
      precision: t.exposeFloat('precision', {
        nullable: true,
        description: 'Share of those said to leave who left; null when nobody was.',
      }),
      recall: t.exposeFloat('recall', {
        nullable: true,
        description: 'Share of the leavers who were found; null when nobody left.',
      }),
    }),
  });
  const ProfitRef = builder.objectRef<Profit>('ChurnProfit').implement({
    description: 'What contacting everybody at or above the threshold would have brought in the test window.',
    fields: (t) => ({
      contacted: t.exposeInt('contacted', { description: 'Customers contacted.' }),
      reached: t.exposeInt('reached', { description: 'Leavers among them.' }),
      profit: t.field({
        type: 'Money',
        description: 'Value saved (leavers reached × save rate × what they bring in a year) less the cost of contact.',
        resolve: (p) => ({ amountMinor: p.profitMinor, currency: p.currency }),
      }),
      profitOfAll: t.field({
        type: 'Money',
        description: 'The same if everybody were contacted.',
        resolve: (p) => ({ amountMinor: p.profitOfAllMinor, currency: p.currency }),
      }),
    }),
  });
  const Method = builder.enumType('CalibrationMethod', {
    description: 'How scores become probabilities.',
    values: {
      ISOTONIC: { description: 'Isotonic regression.' },
      PLATT: { description: "Platt's sigmoid." },
    } as const,
  });
  return builder.objectRef<ShownMetrics>('ChurnModelMetrics').implement({
    description:
      'What a model reached on the test window: the newest one whose outcome was known, kept apart from all fitting.',
    fields: (t) => ({
      quality: t.field({ type: QualityRef, description: 'The model.', resolve: (m) => m }),
      calibrationMethod: t.field({
        type: Method,
        description: 'The method with the lower log-loss on the calibration window, cross-validated.',
        resolve: (m) => m.calibrationMethod,
      }),
      calibrationCurve: t.field({
        type: [BinRef],
        description: 'Predicted and observed in ten ranges of probability.',
        resolve: (m) => [...m.calibrationCurve],
      }),
      confusion: t.field({
        type: ConfusionRef,
        nullable: true,
        description: 'At the threshold; null without one.',
        resolve: (m) => m.confusion,
      }),
      profit: t.field({
        type: ProfitRef,
        nullable: true,
        description: 'At the threshold; null without one.',
        resolve: (m) => (m.profit === null ? null : { ...m.profit, currency: m.currency }),
      }),
      baselineRocAuc: t.float({
        nullable: true,
        description: 'Area under the ROC curve of ranking by days since the last activity alone.',
        resolve: (m) => m.baseline.rocAuc,
      }),
      aucAboveBaseline: t.field({
        type: IntervalRef,
        nullable: true,
        description:
          'AUC of the model less that of the baseline: unless the lower end lies above 0 it does not go live.',
        resolve: (m) => m.baseline.aucDifference,
      }),
      liveModel: t.field({
        type: QualityRef,
        nullable: true,
        description: 'The model that was live then, on the same customers; null when there was none to compare with.',
        resolve: (m) => m.live,
      }),
    }),
  });
}
