import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import { dashboardSchema } from './schema.ts';
import { createDashboardService, type DashboardPorts } from './service.ts';

/** The business at a glance, gathered from the other modules' ports. */
export function dashboard(infra: Infrastructure, ports: DashboardPorts) {
  const service = createDashboardService(infra, ports);
  return defineModule({
    name: 'dashboard',
    service,
    scopes: [{ name: 'dashboard:read', description: 'Read the dashboard.' }],
    schema: dashboardSchema(service),
  });
}
