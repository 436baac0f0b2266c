import type { SaasOptions } from './accounts.ts';

/** Options as a person gives them; what is left out is the default, or what the data folder holds. */
export type SaasAsked = { readonly [K in keyof SaasOptions]: number | undefined };

export const SAAS_DEFAULTS: SaasOptions = { customers: 2_000, months: 24, seed: 1 };

const SHAPE = /^saas-(\d+)x(\d+)-(\d+)$/;

/** The source of the imports names the data set, so that a later start knows what is there. */
export const saasSource = ({ customers, months, seed }: SaasOptions): string => `saas-${customers}x${months}-${seed}`;

export const isSaasSource = (source: string): boolean => SHAPE.test(source);

/** What the data set of a source was generated with; null when it is none. */
export function optionsOf(source: string): SaasOptions | null {
  const [, customers, months, seed] = SHAPE.exec(source) ?? [];
  if (customers === undefined || months === undefined || seed === undefined) return null;
  return { customers: Number(customers), months: Number(months), seed: Number(seed) };
}

export const completed = (asked: SaasAsked, otherwise: SaasOptions): SaasOptions => ({
  customers: asked.customers ?? otherwise.customers,
  months: asked.months ?? otherwise.months,
  seed: asked.seed ?? otherwise.seed,
});
