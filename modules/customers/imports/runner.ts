import { stageFile } from '../../../src/core/analytics/index.ts';
import type { Call } from '../../../src/core/call.ts';
import { DomainError, messageOf } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import type { JobContext } from '../../../src/core/jobs.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { batchImported, importCompleted } from '../events.ts';
import type { RecordType } from './domain/fields.ts';
import type { ImportJob, ImportPhase, ImportResult } from './model.ts';
import { isAtRest, PHASES } from './model.ts';
import type { ImportRun, Pipeline, PipelineResult } from './pipeline.ts';
import { changeAndTell, createProgressMeter, type ProgressMeter } from './progress.ts';
import { addCounts, findJob, findSameImport, type JobChange, lockJob } from './store.ts';
import { dropStage, stageExists } from './tables.ts';
import type { Uploads } from './uploads.ts';

export type RunnerInfrastructure = Pick<
  Infrastructure,
  'database' | 'analytics' | 'settings' | 'clock' | 'systemClock' | 'logger'
>;

export interface Runner {
  /** Brings an import as far as it goes now; called again after a crash it goes on after the last complete phase. */
  run(jobId: string, context: Pick<JobContext, 'signal' | 'lastAttempt'>): Promise<void>;
}

/** Thrown inside a phase when somebody cancels the import. */
class Cancelled extends Error {}

export function createRunner(
  infra: RunnerInfrastructure,
  uploads: Uploads,
  pipelines: Readonly<Record<RecordType, Pipeline>>,
): Runner {
  const { database, analytics } = infra;

  /** One finished step: what it left, and the news of it, in one transaction. */
  const complete = (call: Call, job: ImportJob, change: JobChange): Promise<ImportJob> =>
    database.transaction((tx) => changeAndTell(tx, infra, call, job.id, change));

  const finish = async (call: Call, job: ImportJob, change: JobChange): Promise<ImportJob> => {
    const ended = await complete(call, job, { ...change, finishedAt: infra.systemClock.now() });
    if (ended.carried.stage !== undefined) await dropStage(analytics, ended.carried.stage);
    return ended;
  };

  const stage = async (run: ImportRun, pipeline: Pipeline, report: (change: JobChange) => void): Promise<JobChange> => {
    const { job, options } = run;
    const staged = await stageFile(analytics, uploads.pathOf(job.uploadId), {
      format: options.format === 'CSV' ? 'csv' : 'ndjson',
      columns: pipeline.columns(options),
      derived: pipeline.derived(options),
      encoding: options.encoding === 'UTF_8' ? 'utf-8' : 'windows-1252',
      ...(options.delimiter === null ? {} : { delimiter: options.delimiter }),
      signal: run.signal,
      onProgress: ({ bytes, rows, rejected }) => report({ bytesDone: bytes, rowsDone: rows, rowsRefused: rejected }),
    });
    const { table, rejects, header, rows, rejected, findings } = staged;
    const rowsTotal = rows + rejected;
    const carried = { stage: { table, rejects, header, rows, rejected, findings } };
    return { carried, rowsTotal, rowsDone: 0, rowsRefused: rejected, bytesDone: job.fileBytes };
  };

  const result = (job: ImportJob, derived: PipelineResult): ImportResult => {
    const mapped = new Set(job.options.mapping.map(({ column }) => column));
    return {
      customersCreated: 0,
      ordersCreated: 0,
      ordersChanged: 0,
      recordsCreated: 0,
      recordsChanged: 0,
      ...job.carried.counted,
      rowsStored: derived.rowsStored,
      rowsRefused: (job.rowsTotal ?? 0) - derived.rowsStored,
      ignoredColumns:
        job.recordType === 'EVENTS' || job.recordType === 'CUSTOMERS'
          ? []
          : (job.carried.stage?.header ?? []).filter((column) => !mapped.has(column)),
      sameAsImportId: null,
    };
  };

  /** Tells the modules once that history was stored, together with the phase that stored it. */
  const tellStored = (call: Call, job: ImportJob, derived: PipelineResult): Promise<ImportJob> =>
    database.transaction(async (tx) => {
      const { id: importId, recordType, live } = job;
      // Counted along the way, and not known to this process alone.
      const ended = result((await lockJob(tx, importId)) ?? job, derived);
      const batch = { importId, recordType, rows: derived.rowsStored, customerIds: derived.customerIds, quiet: !live };
      const whole = {
        importId,
        recordType,
        rows: job.rowsTotal ?? 0,
        accepted: ended.rowsStored,
        rejected: ended.rowsRefused,
      };
      await appendEvents(tx, call, infra.clock, [
        newEvent(batchImported, {
          customerId: null,
          payload: { ...batch, customerIds: batch.customerIds === null ? null : [...batch.customerIds] },
        }),
        newEvent(importCompleted, { customerId: null, payload: { ...whole, quiet: !live } }),
      ]);
      return changeAndTell(tx, infra, call, importId, {
        phase: 'derived',
        result: ended,
        rowsRefused: ended.rowsRefused,
        rowsDone: job.rowsTotal ?? 0,
      });
    });

  /** The step after the last complete one. Each leaves the job one phase further, at rest, or done. */
  const step = async (
    job: ImportJob,
    run: ImportRun,
    counts: Readonly<Record<string, number>>,
    meter: ProgressMeter,
  ): Promise<ImportJob> => {
    const pipeline = pipelines[job.recordType];
    const { call } = run;
    const worked = async <Result>(work: Promise<Result>): Promise<Result> => {
      const result = await work;
      await meter.settled();
      return result;
    };
    const next = PHASES[PHASES.indexOf(job.phase) + 1] as ImportPhase;
    switch (next) {
      case 'staged':
        return complete(call, job, { phase: next, ...(await worked(stage(run, pipeline, meter.report))) });
      case 'validated': {
        const { quality, goodRows } = await worked(pipeline.validate(run));
        const carried = { ...job.carried, goodRows };
        return complete(call, job, { phase: next, quality, carried, rowsRefused: quality.rowsWithErrors });
      }
      case 'reported': {
        const enough = job.acceptQuality || job.dryRun || (job.quality?.score ?? 0) >= job.options.minimumQuality;
        // The cleaning report is part of what the answer is asked upon, so it is made before asking.
        const cleaning = await worked(pipeline.clean(run));
        const change: JobChange = { phase: next, ...(cleaning === null ? {} : { cleaning }) };
        return complete(call, job, enough ? change : { ...change, state: 'WAITING' });
      }
      case 'cleaned':
        if (job.dryRun) return finish(call, job, { phase: 'done', state: 'DONE' });
        return complete(call, job, { phase: next });
      case 'customers':
        await worked(pipeline.customers(run));
        return complete(call, job, { phase: next, rowsDone: 0 });
      case 'loaded':
        await worked(pipeline.load(run));
        return complete(call, job, { phase: next, rowsDone: 0, carried: { ...job.carried, counts } });
      case 'derived':
        return tellStored(call, job, await worked(pipeline.derive(run)));
      default:
        return finish(call, job, { phase: 'done', state: 'DONE' });
    }
  };

  /** A file that came before in the same way leaves nothing to do. */
  const asBefore = async (call: Call, job: ImportJob): Promise<ImportJob | null> => {
    if (job.phase !== 'queued' || job.dryRun || job.live) return null;
    const same = await findSameImport(database, job);
    if (same === null || same.result === null) return null;
    const nothing = { customersCreated: 0, ordersCreated: 0, ordersChanged: 0, recordsCreated: 0, recordsChanged: 0 };
    return finish(call, job, {
      phase: 'done',
      state: 'DONE',
      bytesDone: job.fileBytes,
      ...(same.rowsTotal === null ? {} : { rowsTotal: same.rowsTotal, rowsDone: same.rowsTotal }),
      rowsRefused: same.rowsRefused,
      ...(same.quality === null ? {} : { quality: same.quality }),
      ...(same.cleaning === null ? {} : { cleaning: same.cleaning }),
      result: { ...same.result, ...nothing, sameAsImportId: same.id },
    });
  };

  return {
    async run(jobId, context) {
      const found = await findJob(database, jobId);
      if (found === null || isAtRest(found.state)) return;
      const call = callOf(found);
      const cancelling = new AbortController();
      const signal = AbortSignal.any([context.signal, cancelling.signal]);
      const meter = createProgressMeter({
        ...infra,
        call,
        jobId,
        onCancel: () => cancelling.abort(new Cancelled()),
        onError: (error) =>
          infra.logger.warn({ err: error, importId: jobId }, 'progress of an import could not be written'),
      });
      let job = found;
      try {
        job = await complete(call, job, {
          state: 'RUNNING',
          startedAt: job.startedAt ?? infra.systemClock.now(),
          error: null,
        });
        job = (await asBefore(call, job)) ?? job;
        // Without its staged rows an import begins anew, which gives the same result.
        if (job.carried.stage !== undefined && !(await stageExists(analytics, job.carried.stage.table))) {
          job = await complete(call, job, { phase: 'queued', carried: {} });
        }
        const { reportingCurrency } = await infra.settings.get(BUSINESS);
        while (job.state === 'RUNNING') {
          signal.throwIfAborted();
          if (job.cancelRequestedAt !== null) throw new Cancelled();
          const counts: Record<string, number> = {};
          const run: ImportRun = {
            ...infra,
            job,
            options: job.options,
            call,
            signal,
            carried: job.carried,
            reportingCurrency,
            stage: job.carried.stage as NonNullable<ImportJob['carried']['stage']>,
            progress: (rowsDone) => meter.report({ rowsDone }),
            counted: (tx, made) => addCounts(tx, jobId, made),
            count: (name, by) => {
              counts[name] = (counts[name] ?? 0) + by;
            },
          };
          job = await step(job, run, counts, meter);
        }
      } catch (error) {
        await meter.close();
        if (error instanceof Cancelled || cancelling.signal.aborted) {
          await finish(call, job, { state: 'CANCELLED' });
          return;
        }
        // Asked to stop: the job comes back and goes on after its last complete phase.
        if (context.signal.aborted) throw error;
        const isFinal = error instanceof DomainError && error.code !== 'ANALYTICS_UNAVAILABLE';
        if (!isFinal && !context.lastAttempt) throw error;
        if (!isFinal) infra.logger.error({ err: error, importId: jobId }, 'an import failed');
        const failure = isFinal
          ? { code: error.code, message: error.message }
          : { code: 'CUSTOMERS_IMPORT_FAILED', message: `The import could not be finished: ${messageOf(error)}` };
        await finish(call, job, { state: 'FAILED', error: failure });
      } finally {
        await meter.close();
      }
    },
  };
}

/** The import acts for whoever started it. */
function callOf(job: ImportJob): Call {
  const [kind = 'system', ...id] = job.actor.split(':');
  const name = id.join(':');
  return {
    actor: { kind: kind as Call['actor']['kind'], id: name, name },
    correlationId: job.correlationId,
    causationId: null,
  };
}
