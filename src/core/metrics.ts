import { collectDefaultMetrics, Registry } from 'prom-client';

/** Prometheus registry of this process; who measures something registers it here once. */
export type Metrics = Registry;

export function createMetrics(options: { readonly processMetrics: boolean }): Metrics {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  return registry;
}
