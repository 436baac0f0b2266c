import { audit } from '../../../src/core/audit.ts';
import type { Call } from '../../../src/core/call.ts';
import { IdempotencyConflict, InvalidInput } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { claimKeys, hashInput, storeAnswers } from '../../../src/core/idempotency.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import type { ValuePort } from '../../value/contract.ts';
import { createRefreshService } from '../service-refresh.ts';
import type { ChurnPredictionPort } from './contract.ts';
import type { DriftLimits } from './domain/drift.ts';
import type { ModelState } from './domain/model.ts';
import { rollBackTarget } from './domain/registry.ts';
import { ChurnModelNotFound } from './errors.ts';
import { modelWentLive } from './events.ts';
import { PREDICTION_QUEUE, SCORE_JOB } from './job-names.ts';
import { livesDerived } from './queries.ts';
import { createScoringService, type ScoringService } from './service-scoring.ts';
import { createTrainingService, type TrainingService } from './service-training.ts';
import { createWindows } from './service-windows.ts';
import { DRIFT_LIMITS } from './settings.ts';
import {
  type CardFilter,
  countModels,
  findCard,
  listCards,
  lockRegistry,
  type ModelCard,
  setState,
  standings,
  treesOf,
} from './store-models.ts';
import { readProbabilities } from './store-predictions.ts';

const ROLL_BACK_SCOPE = 'churn.rollBackChurnModel';
const REASON_MAX = 500;
/** Share of the customers with features whose life has to be known before anything is learnt or predicted of it. */
const DERIVED_SHARE_MIN = 0.99;
/** Lock number of trainings and predictions: one at a time, whoever started it. */
const PREDICTION_LOCK = 0x43485552; // "CHUR"

export interface RollBack {
  /** The model to go back to; null for the one that was live last. */
  readonly modelId: string | null;
  readonly reason: string | null;
  readonly idempotencyKey: string | null;
}

export interface PredictionService extends ChurnPredictionPort, TrainingService, ScoringService {
  models(filter: CardFilter): Promise<ModelCard[]>;
  countModels(states: readonly ModelState[] | null): Promise<number>;
  /** A model by its id, or the live one. */
  model(id: string | null): Promise<ModelCard | null>;
  /** The trees of a model as JSON text. */
  treesOf(id: string): Promise<string | null>;
  driftLimits(): Promise<DriftLimits>;
  /** Puts an earlier model in the place of the live one; predictions follow. @throws ChurnModelNotFound, IdempotencyConflict */
  rollBack(call: Call, request: RollBack): Promise<ModelCard>;
}

export function createPredictionService(
  infra: Infrastructure,
  ports: { readonly customers: CustomerPort; readonly value: ValuePort },
): PredictionService {
  const { database, settings, clock } = infra;
  const windows = createWindows(infra, ports.value);
  const lives = createRefreshService(infra, ports.customers);

  /** Right after a first import nobody's life may be derived yet; then it is done here. */
  const derive = async (call: Call, customers: number, signal?: AbortSignal): Promise<void> => {
    if ((await livesDerived(database)) < customers * DERIVED_SHARE_MIN) await lives.refreshAll(call, signal);
  };
  const training = createTrainingService(infra, ports.value, windows, derive);
  const scoring = createScoringService(infra, ports, windows, derive);

  /** A lock of the session, since no transaction may last so long. */
  const alone = async <T>(run: () => Promise<T>): Promise<T> => {
    const client = await database.pool.connect();
    try {
      await client.query('select pg_advisory_lock($1)', [PREDICTION_LOCK]);
      try {
        return await run();
      } finally {
        await client.query('select pg_advisory_unlock($1)', [PREDICTION_LOCK]);
      }
    } finally {
      client.release();
    }
  };

  const goBack = (call: Call, { modelId, reason, idempotencyKey }: RollBack): Promise<string> =>
    database.transaction(async (tx) => {
      const key = idempotencyKey === null ? [] : [{ key: idempotencyKey, hash: hashInput({ modelId, reason }) }];
      const [claim] = await claimKeys<{ id: string }>(tx, ROLL_BACK_SCOPE, key);
      if (claim?.kind === 'conflict') throw new IdempotencyConflict(idempotencyKey ?? '');
      if (claim?.kind === 'replay') return claim.answer.id;
      await lockRegistry(tx);
      const known = await standings(tx);
      const target = rollBackTarget(known, modelId);
      if (target === null) {
        throw new ChurnModelNotFound(
          modelId === null
            ? 'No model was live before: there is nothing to go back to.'
            : 'There is no such model that could serve: it has to be RETIRED or CANDIDATE.',
        );
      }
      const at = clock.now();
      const former = known.find(({ state }) => state === 'LIVE') ?? null;
      const why = reason === null ? '' : `: ${reason}`;
      if (former !== null) await setState(tx, former.id, 'RETIRED', `Rolled back to model ${target.id}${why}`, at);
      await setState(tx, target.id, 'LIVE', `Put back by a roll back${why}`, at);
      const detail = { from: former?.id ?? null, to: target.id, reason };
      await audit(tx, call, clock, { action: 'churn.rollBackModel', subject: target.id, detail });
      const payload = { modelId: target.id, formerModelId: former?.id ?? null, rolledBack: true };
      await appendEvents(tx, call, clock, [newEvent(modelWentLive, { customerId: null, payload })]);
      await enqueue(tx, SCORE_JOB, {}, { key: SCORE_JOB, queue: PREDICTION_QUEUE });
      if (idempotencyKey !== null)
        await storeAnswers(tx, ROLL_BACK_SCOPE, [{ key: idempotencyKey, answer: { id: target.id } }]);
      return target.id;
    });

  return {
    ...training,
    runTraining: (...given) => alone(() => training.runTraining(...given)),
    score: (...given) => alone(() => scoring.score(...given)),
    probabilities: (customerIds, within = database) => readProbabilities(within, customerIds),
    models: (filter) => listCards(database, filter),
    countModels: (states) => countModels(database, states),
    model: (id) => findCard(database, id),
    treesOf: (id) => treesOf(database, id),
    driftLimits: () => settings.get(DRIFT_LIMITS),
    async rollBack(call, request) {
      if ((request.reason ?? '').length > REASON_MAX) {
        throw new InvalidInput(`The reason is longer than ${REASON_MAX} characters.`, { path: ['input', 'reason'] });
      }
      const id = await goBack(call, request);
      return (await findCard(database, id)) as ModelCard;
    },
  };
}
