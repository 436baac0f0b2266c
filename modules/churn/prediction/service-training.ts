import { availableParallelism } from 'node:os';
import { DateTime } from 'luxon';
import { audit } from '../../../src/core/audit.ts';
import { actorName, type Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError, IdempotencyConflict, messageOf } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { claimKeys, hashInput, storeAnswers } from '../../../src/core/idempotency.ts';
import { newId } from '../../../src/core/ids.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import {
  CATALOGUE_VERSION,
  FeatureLeak,
  type FeatureSnapshot,
  featureNames,
  type ValuePort,
} from '../../value/contract.ts';
import { INACTIVITY } from '../settings.ts';
import type { ModelWindows, TrainedModel } from './domain/model.ts';
import { judge } from './domain/registry.ts';
import { splitByTime } from './domain/split.ts';
import { ChurnHistoryTooShort } from './errors.ts';
import { modelTrained, modelWentLive, trainingProgressed } from './events.ts';
import { PREDICTION_QUEUE, SCORE_JOB, TRAIN_JOB } from './job-names.ts';
import { refuseLeaks } from './leaks.ts';
import type { Windows } from './service-windows.ts';
import { CONTACT_ECONOMICS, PREDICTION_MODEL } from './settings.ts';
import { idOfHash, insertModel, type LiveModel, liveModel, lockRegistry, setState } from './store-models.ts';
import {
  type ChurnTraining,
  findTraining,
  forgetTrainingsBefore,
  insertTraining,
  type TrainingChange,
  updateTraining,
} from './store-trainings.ts';
import { inThread } from './worker.ts';

const DAY_MS = 86_400_000;
const SNAPSHOTS_MAX = 61;
/** Fewer customers of either fate in a window say nothing. */
const FATES_MIN = 20;
/** A snapshot older than this is taken anew before a training. */
const FRESH_MS = DAY_MS;
const TRAININGS_KEPT_DAYS = 90;
const TRAIN_SCOPE = 'churn.trainChurnModel';

export interface TrainingService {
  /** Asks for a training; it can be followed by its id. @throws IdempotencyConflict */
  requestTraining(call: Call, idempotencyKey: string | null): Promise<ChurnTraining>;
  /** Carries it out. A training whose data cannot be learnt from ends as failed; whatever else goes wrong is thrown, to be tried again. */
  runTraining(call: Call, id: string, signal: AbortSignal, lastAttempt: boolean): Promise<void>;
  findTraining(id: string): Promise<ChurnTraining | null>;
}

/** All that a training is given, read at one moment. */
interface Prepared {
  readonly split: {
    readonly training: readonly FeatureSnapshot[];
    readonly calibration: FeatureSnapshot;
    readonly test: FeatureSnapshot;
  };
  readonly known: readonly FeatureSnapshot[];
  readonly horizonDays: number;
}

export function createTrainingService(
  infra: Infrastructure,
  value: ValuePort,
  windows: Windows,
  derive: (call: Call, customers: number, signal: AbortSignal) => Promise<void>,
): TrainingService {
  const { database, settings, clock, systemClock } = infra;

  const note = async (tx: Tx, call: Call, id: string, change: TrainingChange): Promise<void> => {
    await updateTraining(tx, id, change);
    const { state = 'RUNNING', step = null } = change;
    const payload = { trainingId: id, state, step };
    await appendEvents(tx, call, clock, [newEvent(trainingProgressed, { customerId: null, payload })]);
  };
  const noteAlone = (call: Call, id: string, change: TrainingChange) =>
    database.transaction((tx) => note(tx, call, id, change));

  /** Which snapshots there are to learn from; features and fates are brought up to date first where they are not. */
  const prepare = async (call: Call, signal: AbortSignal): Promise<Prepared> => {
    const [newest] = await value.snapshots(1);
    if (newest === undefined || clock.now().getTime() - newest.at.getTime() > FRESH_MS) await value.refresh(call);
    const known = await value.snapshots(SNAPSHOTS_MAX);
    await derive(call, known[0]?.customers ?? 0, signal);
    const [{ days }, { trainingSnapshots }] = await Promise.all([
      settings.get(INACTIVITY),
      settings.get(PREDICTION_MODEL),
    ]);
    const monthly = known
      .filter(({ kind }) => kind === 'MONTH')
      .map((snapshot) => ({ snapshot, atMs: snapshot.at.getTime() }));
    const split = splitByTime(monthly, days * DAY_MS, clock.now().getTime(), trainingSnapshots);
    if (split === null) {
      throw new ChurnHistoryTooShort(
        `There are ${monthly.length} monthly snapshots. Three windows of ${days} days, one after another, each begun by a snapshot, are needed to train, to calibrate and to evaluate: about ${Math.ceil((3 * days) / 30) + 1} months of history.`,
      );
    }
    return {
      split: {
        training: split.training.map(({ snapshot }) => snapshot),
        calibration: split.calibration.snapshot,
        test: split.test.snapshot,
      },
      known,
      horizonDays: days,
    };
  };

  const learn = async (
    { split, known, horizonDays }: Prepared,
    live: LiveModel | null,
    signal: AbortSignal,
    onTraining: () => Promise<void>,
  ) => {
    const horizonMs = horizonDays * DAY_MS;
    const [{ grossMargin }, { trainingSnapshots: _, ...tree }, economics] = await Promise.all([
      settings.get(BUSINESS),
      settings.get(PREDICTION_MODEL),
      settings.get(CONTACT_ECONOMICS),
    ]);
    const valued = { known, grossMargin };
    const training = await windows.labelled(split.training, horizonMs, null, signal);
    const calibration = await windows.labelled([split.calibration], horizonMs, valued, signal);
    const test = await windows.labelled([split.test], horizonMs, valued, signal);
    const facts: ModelWindows = { training: training.facts, calibration: calibration.facts, test: test.facts };
    for (const [name, { rows, leavers }] of Object.entries(facts)) {
      if (Math.min(leavers, rows - leavers) < FATES_MIN) {
        throw new ChurnHistoryTooShort(
          `In the ${name} window ${leavers} of ${rows} customers left; at least ${FATES_MIN} who left and ${FATES_MIN} who stayed are needed.`,
        );
      }
    }
    await onTraining();
    const parameters = { ...tree, ...economics };
    const readable = live?.catalogueVersion === CATALOGUE_VERSION ? live : null;
    await refuseLeaks(featureNames, training);
    const model = await inThread(
      'train',
      {
        names: featureNames,
        training,
        calibration,
        test,
        parameters,
        live:
          readable === null
            ? null
            : { modelId: readable.modelId, trees: readable.trees, calibration: readable.calibration },
        // One processor stays with whoever asks the API meanwhile.
        threads: Math.max(1, availableParallelism() - 1),
      },
      signal,
    );
    return { model, facts, parameters };
  };

  /** Takes a model into the registry and says what becomes of it; the same model as before changes nothing. */
  const register = async (
    call: Call,
    trainingId: string,
    learnt: { readonly model: TrainedModel; readonly facts: ModelWindows; readonly parameters: object },
    prepared: Prepared,
    live: LiveModel | null,
  ): Promise<void> => {
    const { model, facts } = learnt;
    const { split, horizonDays } = prepared;
    const made = {
      catalogueVersion: CATALOGUE_VERSION,
      horizonDays,
      currency: split.test.terms.reportingCurrency,
      parameters: learnt.parameters as Parameters<typeof insertModel>[1]['parameters'],
      features: featureNames,
      windows: facts,
      threshold: model.threshold,
    };
    const hash = hashInput({ ...made, trees: model.trees, calibration: model.calibration }).toString('hex');
    await database.transaction(async (tx) => {
      await lockRegistry(tx);
      const done = { state: 'DONE', finishedAt: systemClock.now() } as const;
      const same = await idOfHash(tx, hash);
      if (same !== null) return note(tx, call, trainingId, { ...done, modelId: same });
      const now = await liveModel(tx);
      if (now?.modelId !== live?.modelId) throw new Error('another model went live meanwhile: compare with that one');
      const id = newId();
      const { state, reason } = judge(model.metrics);
      const at = clock.now();
      const wins = state === 'LIVE';
      if (wins && now !== null)
        await setState(tx, now.modelId, 'RETIRED', `Model ${id} did better on the newest window.`, at);
      await insertModel(tx, {
        ...made,
        ...model,
        id,
        hash,
        state,
        reason,
        trainedAt: at,
        wentLiveAt: wins ? at : null,
      });
      await audit(tx, call, clock, { action: 'churn.judgeModel', subject: id, detail: { hash, state, reason } });
      const { rocAuc } = model.metrics;
      const events = [newEvent(modelTrained, { customerId: null, payload: { modelId: id, hash, state, rocAuc } })];
      if (wins) {
        const payload = { modelId: id, formerModelId: now?.modelId ?? null, rolledBack: false };
        events.push(newEvent(modelWentLive, { customerId: null, payload }));
        await enqueue(tx, SCORE_JOB, {}, { key: SCORE_JOB, queue: PREDICTION_QUEUE });
      }
      await appendEvents(tx, call, clock, events);
      await note(tx, call, trainingId, { ...done, modelId: id });
    });
  };

  const carryOut = async (call: Call, id: string, signal: AbortSignal): Promise<void> => {
    await noteAlone(call, id, { state: 'RUNNING', step: 'FEATURES', startedAt: systemClock.now() });
    const prepared = await prepare(call, signal);
    await noteAlone(call, id, { state: 'RUNNING', step: 'LABELS' });
    const live = await liveModel(database);
    const learnt = await learn(prepared, live, signal, () =>
      noteAlone(call, id, { state: 'RUNNING', step: 'TRAINING' }),
    );
    await noteAlone(call, id, { state: 'RUNNING', step: 'REGISTRY' });
    await register(call, id, learnt, prepared, live);
  };

  return {
    async requestTraining(call, idempotencyKey) {
      const id = await database.transaction(async (tx) => {
        const key = idempotencyKey === null ? [] : [{ key: idempotencyKey, hash: hashInput({}) }];
        const [claim] = await claimKeys<{ id: string }>(tx, TRAIN_SCOPE, key);
        if (claim?.kind === 'conflict') throw new IdempotencyConflict(idempotencyKey ?? '');
        if (claim?.kind === 'replay') return claim.answer.id;
        const fresh = newId();
        const now = systemClock.now();
        await forgetTrainingsBefore(tx, DateTime.fromJSDate(now).minus({ days: TRAININGS_KEPT_DAYS }).toJSDate());
        await insertTraining(tx, { id: fresh, requestedAt: now, requestedBy: actorName(call.actor) });
        const payload = { trainingId: fresh, correlationId: call.correlationId };
        await enqueue(tx, TRAIN_JOB, payload, { queue: PREDICTION_QUEUE });
        await audit(tx, call, clock, { action: 'churn.trainModel', subject: fresh, detail: {} });
        if (idempotencyKey !== null)
          await storeAnswers(tx, TRAIN_SCOPE, [{ key: idempotencyKey, answer: { id: fresh } }]);
        return fresh;
      });
      return (await findTraining(database, id)) as ChurnTraining;
    },
    async runTraining(call, id, signal, lastAttempt) {
      const training = await findTraining(database, id);
      if (training === null || training.state === 'DONE' || training.state === 'FAILED') return;
      try {
        await carryOut(call, id, signal);
      } catch (error) {
        // Data that cannot be learnt from will be the same the next time.
        const final = error instanceof ChurnHistoryTooShort || error instanceof FeatureLeak;
        if (!final && !lastAttempt) throw error;
        await noteAlone(call, id, {
          state: 'FAILED',
          finishedAt: systemClock.now(),
          errorCode: error instanceof DomainError ? error.code : 'CHURN_TRAINING_FAILED',
          error: messageOf(error),
        });
        if (!final) throw error;
      }
    },
    findTraining: (id) => findTraining(database, id),
  };
}
