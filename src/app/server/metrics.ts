import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../../core/metrics.ts';

/** What the API measures of itself. */
export interface ServerMetrics {
  readonly refused: Counter<'reason'>;
  ran(kind: string, outcome: string, durationMs: number, statements: number, cost: number): void;
}

/** Registers the API's measures. */
export function createServerMetrics(registry: Metrics, running: () => number): ServerMetrics {
  const registers = [registry];
  const duration = new Histogram({
    name: 'holdfast_graphql_duration_seconds',
    help: 'Time from admission to answer of GraphQL operations.',
    labelNames: ['kind', 'outcome'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const statements = new Histogram({
    name: 'holdfast_graphql_statements',
    help: 'Database statements per GraphQL operation.',
    labelNames: ['kind'] as const,
    buckets: [0, 1, 2, 3, 5, 8, 13, 21, 34],
    registers,
  });
  const cost = new Counter({
    name: 'holdfast_graphql_cost_total',
    help: 'Cost of GraphQL operations that ran.',
    labelNames: ['kind'] as const,
    registers,
  });
  const refused = new Counter({
    name: 'holdfast_requests_refused_total',
    help: 'Requests that were refused as a whole, by the code of the error.',
    labelNames: ['reason'] as const,
    registers,
  });
  new Gauge({
    name: 'holdfast_graphql_running',
    help: 'GraphQL operations running now.',
    registers,
    collect() {
      this.set(running());
    },
  });
  return {
    refused,
    ran(kind, outcome, durationMs, statementCount, asked) {
      duration.observe({ kind, outcome }, durationMs / 1000);
      statements.observe({ kind }, statementCount);
      cost.inc({ kind }, asked);
    },
  };
}
