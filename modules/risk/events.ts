import { z } from 'zod';
import { defineEvent } from '../../src/core/events/index.ts';

const healthTier = z.enum(['HEALTHY', 'NEUTRAL', 'POOR']).nullable();
const riskCategory = z.enum(['SECURE', 'MONITOR', 'AT_RISK', 'CRITICAL']).nullable();
const score = z.number().nullable();

export const healthChanged = defineEvent({
  type: 'risk.healthChanged',
  version: 1,
  description:
    'Health or retention risk of a customer became known, moved by a point or more, or crossed into another tier or category.',
  payload: z.object({
    healthScore: score,
    healthTier,
    previousHealthScore: score,
    previousHealthTier: healthTier,
    riskScore: score,
    riskCategory,
    previousRiskCategory: riskCategory,
  }),
});

export const assessmentsRecomputed = defineEvent({
  type: 'risk.assessmentsRecomputed',
  version: 1,
  description: 'Many customers were assessed quietly, after an import or at night: one fact for all of them.',
  payload: z.object({ customers: z.int(), changed: z.int() }),
});

export const riskEvents = [healthChanged, assessmentsRecomputed];
