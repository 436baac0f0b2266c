export type { CostReport } from './budget.ts';
export type { PreparedOperation } from './documents.ts';
export type { ShownError } from './errors.ts';
export type { Admitted, Answer, Gate } from './gate.ts';
export type { ReadinessCheck } from './health.ts';
export { type Exchange, type Route, sendJson, sendText } from './http.ts';
export { type RunningServer, type ServerOptions, startServer } from './server.ts';
export type { MakeSubscriptionServer, SubscriptionServer } from './subscription-server.ts';
