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

export const healthLine = ({ tiers }: HealthDistribution): string =>
  `health: ${number(tiers.HEALTHY)} healthy, ${number(tiers.NEUTRAL)} neutral, ${number(tiers.POOR)} poor, ${number(tiers.UNKNOWN)} unknown`;
