import type { Call } from '../../../src/core/call.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import { CATALOGUE_VERSION, type FeatureSnapshot, type ValuePort } from '../../value/contract.ts';
import { alarmsOf } from './domain/drift.ts';
import { REASONS } from './domain/reasons.ts';
import type { Scores } from './domain/scoring.ts';
import { modelDrifted, predictionsScored } from './events.ts';
import type { Present, Windows } from './service-windows.ts';
import { DRIFT_LIMITS } from './settings.ts';
import { alarmsBefore, type LiveModel, liveModel, writeDrift } from './store-models.ts';
import { forgetOthers, type PredictionRow, type PredictionTerms, writePredictions } from './store-predictions.ts';
import { inThread } from './worker.ts';

/** Customers written at once: bounds the length of a transaction. */
const WRITE_BATCH = 1_000;

export interface ScoringService {
  /**
   * Predicts everybody who is here by the live model, from the newest snapshot, and looks how far they have drifted. Twice is once.
   * @returns how many; null when there is nothing to predict by
   */
  score(call: Call, signal?: AbortSignal): Promise<number | null>;
}

export function createScoringService(
  infra: Infrastructure,
  ports: { readonly customers: CustomerPort; readonly value: ValuePort },
  windows: Windows,
  derive: (call: Call, customers: number, signal?: AbortSignal) => Promise<void>,
): ScoringService {
  const { database, settings, clock, logger } = infra;

  /** Writes batches, each in a transaction of its own; who was erased meanwhile is left out. */
  const write = async (
    terms: PredictionTerms,
    { customerIds }: Present,
    rowAt: (row: number) => PredictionRow,
    signal?: AbortSignal,
  ) => {
    for (let start = 0; start < customerIds.length; start += WRITE_BATCH) {
      signal?.throwIfAborted();
      const ids = customerIds.slice(start, start + WRITE_BATCH);
      await database.transaction(async (tx) => {
        const living = new Set((await ports.customers.byIds(ids, tx)).map(({ id }) => id));
        const rows = ids.flatMap((id, at) => (living.has(id) ? [rowAt(start + at)] : []));
        await writePredictions(tx, terms, rows);
      });
    }
  };

  /** What follows from all predictions of a snapshot, in one transaction. */
  const conclude = async (
    call: Call,
    live: LiveModel,
    terms: PredictionTerms,
    scores: Scores | null,
    customers: number,
  ) => {
    const limits = await settings.get(DRIFT_LIMITS);
    const { modelId, at } = terms;
    await database.transaction(async (tx) => {
      await forgetOthers(tx, terms);
      const meanProbability =
        scores === null ? null : scores.probabilities.reduce((sum, one) => sum + one, 0) / customers;
      const payload = { modelId, at: at.toISOString(), customers, meanProbability };
      const events = [newEvent(predictionsScored, { customerId: null, payload })];
      if (scores !== null) {
        const { drift } = scores;
        const alarms = alarmsOf(drift, limits);
        const before = new Set(await alarmsBefore(tx, live.modelId, at));
        await writeDrift(tx, modelId, { at, customers, scorePsi: drift.score, features: drift.features, alarms });
        if (alarms.some((name) => !before.has(name))) {
          const alarm = { modelId, at: at.toISOString(), scorePsi: drift.score, alarms };
          events.push(newEvent(modelDrifted, { customerId: null, payload: alarm }));
        }
      }
      await appendEvents(tx, call, clock, events);
    });
  };

  const scoreSnapshot = async (call: Call, live: LiveModel, snapshot: FeatureSnapshot, signal?: AbortSignal) => {
    await derive(call, snapshot.customers, signal);
    const present = await windows.present(snapshot, signal);
    const rows = present.customerIds.length;
    const terms = { modelId: live.modelId, at: snapshot.at, scoredAt: clock.now() };
    const input = { model: { trees: live.trees, calibration: live.calibration }, profile: live.profile };
    const scores = rows === 0 ? null : await inThread('score', { ...input, features: present.features, rows }, signal);
    if (scores !== null)
      await write(terms, present, (row) => predictionOf(row, present, scores, live.features), signal);
    await conclude(call, live, terms, scores, rows);
    return rows;
  };

  return {
    async score(call, signal) {
      const [live, [snapshot]] = await Promise.all([liveModel(database), ports.value.snapshots(1)]);
      if (live === null || snapshot === undefined) return null;
      if (live.catalogueVersion !== CATALOGUE_VERSION || snapshot.catalogueVersion !== CATALOGUE_VERSION) {
        logger.warn(
          { modelId: live.modelId },
          'the live churn model reads other features than there are: train a new one',
        );
        return null;
      }
      return scoreSnapshot(call, live, snapshot, signal);
    },
  };
}

function predictionOf(row: number, present: Present, scores: Scores, names: readonly string[]): PredictionRow {
  const reasons = Array.from({ length: REASONS }, (_, place) => row * REASONS + place).flatMap((at) => {
    const column = scores.reasonColumns[at] as number;
    if (column < 0) return [];
    const value = present.features[row * names.length + column] as number;
    const contribution = scores.contributions[at] as number;
    return [{ feature: names[column] as string, contribution, value: Number.isNaN(value) ? null : value }];
  });
  return { customerId: present.customerIds[row] as string, probability: scores.probabilities[row] as number, reasons };
}
