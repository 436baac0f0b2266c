import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import { riskEvents } from './contract.ts';
import { riskHandlers } from './handlers.ts';
import { riskJobs } from './jobs.ts';
import { riskSchema } from './schema.ts';
import { createRiskService, type RiskPorts } from './service.ts';
import { HEALTH_RULES, RISK_RULES, USAGE_EXPECTATIONS } from './settings.ts';

/** How well each customer does, and how likely each is to be lost. */
export function risk(infra: Infrastructure, ports: RiskPorts) {
  const service = createRiskService(infra, ports);
  return defineModule({
    name: 'risk',
    service,
    settings: [HEALTH_RULES, RISK_RULES, USAGE_EXPECTATIONS],
    events: riskEvents,
    scopes: [{ name: 'risk:read', description: 'Read health scores and retention risk.' }],
    handlers: riskHandlers,
    jobs: riskJobs(service),
    schema: riskSchema,
  });
}
