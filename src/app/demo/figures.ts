import type { HealthDistribution } from '../../../modules/risk/contract.ts';
import type { Application } from '../application.ts';

export const number = (value: number): string => value.toLocaleString('en');
const percent = (share: number | null): string => (share === null ? 'unknown' : `${(share * 100).toFixed(1)} %`);

/** Logo churn of a month; nothing when it is not known. @param month `YYYY-MM-DD`, its first day */
export async function churnLine(
  { composition }: Application,
  month: string,
  next: string,
  name: string,
): Promise<string[]> {
  const [found] = await composition.services.churn.monthly(month, next);
  if (found === undefined) return [];
  return [`churn in ${name}: ${percent(found.rate)} (${number(found.churned)} of ${number(found.start)} customers)`];
}

/** The live churn model in a line, measured on the newest customers, of whom it learnt nothing. */
export async function predictionLine({ composition }: Application): Promise<string[]> {
  const model = await composition.services.churnPrediction.model(null);
  if (model === null) return ['prediction: no model is live; churnModels says why'];
  const { rocAuc, baseline, accuracyAtHalf } = model.metrics;
  const auc = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(3));
  return [
    `prediction: who leaves within ${model.horizonDays} days, ROC-AUC ${auc(rocAuc)} (recency alone ${auc(baseline.rocAuc)}), accuracy ${percent(accuracyAtHalf)}, on ${number(model.windows.test.rows)} customers held out`,
  ];
}

/** Who the customers are by what they bought: segments by rule, and clusters. */
export async function segmentLines({ composition }: Application): Promise<string[]> {
  const [segments, clusters] = await Promise.all([
    composition.services.value.rfmSegments(null),
    composition.services.value.clusterSegments(),
  ]);
  const listed = (groups: typeof segments): string =>
    groups.map(({ name, customers }) => `${name} ${number(customers)}`).join(', ');
  return [
    ...(segments.length === 0 ? [] : [`segments: ${listed(segments)}`]),
    ...(clusters.length === 0 ? [] : [`clusters: ${listed(clusters)}`]),
  ];
}

export const healthLine = ({ tiers }: HealthDistribution): string =>
  `health: ${number(tiers.HEALTHY)} healthy, ${number(tiers.NEUTRAL)} neutral, ${number(tiers.POOR)} poor, ${number(tiers.UNKNOWN)} unknown`;
