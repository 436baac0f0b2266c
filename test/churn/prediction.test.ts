import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../../src/learning/random.ts';
import { csv, importFile } from '../imports/support.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { subscribe } from '../support/subscriber.ts';

const NOW = new Date('2026-02-05T12:00:00Z');
const DAY_MS = 86_400_000;
const START_MS = Date.parse('2025-01-02T00:00:00Z');

/**
 * A year of a shop: people come all the time, buy every few weeks, and who buys little is more likely to stop.
 * How long ago somebody bought says little of it, as every one is silent between purchases.
 */
function history(): string {
  const random = createRandom(42);
  const lines: string[] = [];
  for (let customer = 0; customer < 500; customer++) {
    const spends = random.unit();
    const gapDays = 30 + random.unit() * 30;
    let at = START_MS + random.unit() * (customer < 250 ? 30 : 380) * DAY_MS;
    for (let order = 0; at < NOW.getTime() - DAY_MS; order++) {
      const price = (5 + spends * 200 * (0.8 + random.unit() * 0.4)).toFixed(2);
      const time = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
      lines.push(`o${customer}-${order},p${order % 7},1,${price},${time},c${customer}`);
      if (random.unit() < (spends < 0.5 ? 0.5 : 0.01)) break;
      at += gapDays * (0.7 + random.unit() * 0.6) * DAY_MS;
    }
  }
  return csv('orderId,product,quantity,unitPrice,placedAt,customerId', ...lines);
}

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  await setting('value.snapshots', { months: 13 });
  const job = await importFile(app, history(), { recordType: 'ORDERS', acceptQuality: true, currency: 'USD' });
  expect(job.state).toBe('DONE');
  await app.settle();
});
afterAll(() => app.close());

async function setting(key: string, value: object): Promise<void> {
  const { changeSetting } = await app.query<{ changeSetting: object }>(
    'mutation ($input: ChangeSettingInput!) { changeSetting(input: $input) { __typename ... on DomainError { message } } }',
    { input: { key, value } },
  );
  expect(changeSetting).toEqual({ __typename: 'ChangeSettingSuccess' });
}

const TREES = {
  trees: 40,
  depth: 3,
  rate: 0.1,
  minChildWeight: 5,
  lambda: 1,
  rowShare: 1,
  columnShare: 1,
  seed: 1,
  trainingSnapshots: 12,
};
const trees = (change: Partial<typeof TREES>) => setting('churn.predictionModel', { ...TREES, ...change });

const CARD = /* GraphQL */ `
  fragment Card on ChurnModel {
    id state reason hash horizonDays features threshold
    parameters { name value }
    trainingWindow { snapshots rows leavers labelsUntil }
    calibrationWindow { snapshots rows leavers labelsUntil }
    testWindow { snapshots rows leavers labelsUntil }
    metrics {
      quality { rocAuc prAuc logLoss brier ece liftAt10 accuracyAtHalf }
      calibrationMethod calibrationCurve { count predicted observed }
      confusion { truePositives falsePositives trueNegatives falseNegatives }
      profit { contacted reached profit { amountMinor currency } }
      baselineRocAuc aucAboveBaseline { estimate low high level }
      liveModel { rocAuc }
    }
    importance { feature gain }
    drift { customers scorePsi scoreLevel features { feature psi level } alarms }
  }
`;
interface Window {
  readonly snapshots: readonly string[];
  readonly rows: number;
  readonly leavers: number;
  readonly labelsUntil: string;
}
interface Card {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly hash: string;
  readonly features: readonly string[];
  readonly threshold: number | null;
  readonly trainingWindow: Window;
  readonly calibrationWindow: Window;
  readonly testWindow: Window;
  readonly metrics: {
    readonly quality: Readonly<Record<string, number>>;
    readonly calibrationCurve: readonly { readonly count: number }[];
    readonly confusion: Readonly<Record<string, number>> | null;
    readonly baselineRocAuc: number;
    readonly aucAboveBaseline: { readonly low: number };
    readonly liveModel: { readonly rocAuc: number } | null;
  };
  readonly importance: readonly { readonly feature: string; readonly gain: number }[];
  readonly drift: { readonly customers: number; readonly features: readonly object[] } | null;
}
interface Training {
  readonly id: string;
  readonly state: string;
  readonly errorCode: string | null;
  readonly error: string | null;
  readonly model: Card | null;
}

const TRAIN =
  'mutation ($input: TrainChurnModelInput!) { trainChurnModel(input: $input) { ... on TrainChurnModelSuccess { training { id state } } } }';
const ask = async (idempotencyKey?: string): Promise<string> => {
  const asked = await app.query<{ trainChurnModel: { training: Training } }>(TRAIN, { input: { idempotencyKey } });
  return asked.trainChurnModel.training.id;
};
/** Asks for a training and waits for what came of it. */
async function train(): Promise<Training> {
  const id = await ask();
  await app.settle();
  const { churnTraining } = await app.query<{ churnTraining: Training }>(
    `${CARD} query ($id: ID!) { churnTraining(id: $id) { id state errorCode error model { ...Card } } }`,
    { id },
  );
  return churnTraining;
}
const trained = async (): Promise<Card> => {
  const { state, model, error } = await train();
  expect({ state, error }).toEqual({ state: 'DONE', error: null });
  return model as Card;
};
const live = async (): Promise<Card | null> =>
  (await app.query<{ churnModel: Card | null }>(`${CARD} { churnModel { ...Card } }`)).churnModel;

interface Predicted {
  readonly externalId: string;
  readonly churn: { readonly status: string };
  readonly churnPrediction: {
    readonly probability: number;
    readonly horizonDays: number;
    readonly asOf: string;
    readonly reasons: readonly {
      readonly feature: string;
      readonly contribution: number;
      readonly value: number | null;
      readonly sentence: string;
    }[];
    readonly model: { readonly id: string; readonly state: string };
  } | null;
  readonly churnPredictionHistory: readonly { readonly probability: number; readonly modelId: string }[];
  readonly risk: { readonly indicators: readonly { readonly name: string; readonly value: number | null }[] } | null;
}
const predicted = async (filter: object = {}): Promise<readonly Predicted[]> => {
  const answer = await app.ask<{ customers: { edges: readonly { node: Predicted }[] } }>(
    /* GraphQL */ `
      query ($filter: CustomerFilter) {
        customers(first: 100, filter: $filter, orderBy: { by: CHURN_PROBABILITY, direction: DESC }) {
          edges {
            node {
              externalId
              churn { status }
              churnPrediction { probability horizonDays asOf isAtRisk reasons { feature contribution value sentence } model { id state } }
              churnPredictionHistory(first: 5) { at probability modelId }
              risk { indicators { name value } }
            }
          }
        }
      }
    `,
    { filter },
    { 'x-holdfast-statements': '1' },
  );
  expect([answer.errors, answer.extensions.statements]).toEqual([undefined, 1]);
  return answer.data.customers.edges.map(({ node }) => node);
};

describe('prediction of churn, from a file to a sentence', () => {
  test('nobody is predicted before there is a model', async () => {
    expect(await live()).toBeNull();
    expect((await predicted()).every(({ churnPrediction }) => churnPrediction === null)).toBe(true);
  });

  test('a model that cannot rank better than recency is refused and does not serve', async () => {
    await trees({ trees: 1, minChildWeight: 10_000 });
    const card = await trained();
    expect(card).toMatchObject({ state: 'REFUSED', metrics: { quality: { rocAuc: 0.5 } } });
    expect(card.reason).toContain('the lower end is not above 0');
    expect(await live()).toBeNull();
  });

  test('the first good one goes live; its card says what was reached, on which windows', async () => {
    await trees({ trees: 1, depth: 1 });
    const id = await ask('first');
    const progress = subscribe<{ readonly state: string; readonly step: string | null }>({
      url: `${app.server.url}/graphql`,
      key: app.adminKey,
      query: 'subscription ($id: ID!) { churnTrainingProgress(trainingId: $id) { state step } }',
      variables: { id },
      field: 'churnTrainingProgress',
    });
    expect(await ask('first')).toBe(id);
    await app.settle();
    let seen = await progress.arrived(1);
    while (seen.every(({ state }) => state !== 'DONE')) seen = await progress.arrived(seen.length + 1);
    progress.cut();
    const card = (await live()) as Card;
    expect(card.state).toBe('LIVE');
    expect(card.features).toHaveLength(33);
    const { trainingWindow, calibrationWindow, testWindow, metrics } = card;
    expect(trainingWindow.labelsUntil <= (calibrationWindow.snapshots[0] as string)).toBe(true);
    expect(calibrationWindow.labelsUntil <= (testWindow.snapshots[0] as string)).toBe(true);
    expect(testWindow.snapshots).toEqual(['2025-11-01T00:00:00.000Z']);
    expect(metrics.quality.rocAuc).toBeGreaterThan(metrics.baselineRocAuc);
    expect(metrics.aucAboveBaseline.low).toBeGreaterThan(0);
    expect(metrics.quality.accuracyAtHalf).toBeGreaterThan(0.5);
    expect(metrics.calibrationCurve.reduce((sum, { count }) => sum + count, 0)).toBe(testWindow.rows);
    expect(metrics.liveModel).toBeNull();
  });

  test('a better one takes its place, a worse one does not, and the same again is the same', async () => {
    const first = (await live()) as Card;
    await trees({});
    const better = await trained();
    expect(better.state).toBe('LIVE');
    expect(better.metrics.liveModel?.rocAuc).toBe(first.metrics.quality.rocAuc);
    expect(better.metrics.quality.rocAuc).toBeGreaterThan(first.metrics.quality.rocAuc as number);
    expect((await trained()).id).toBe(better.id);
    await trees({ trees: 2, depth: 1 });
    expect((await trained()).state).toBe('CANDIDATE');
    const { churnModels } = await app.query<{ churnModels: { totalCount: number; edges: readonly { node: Card }[] } }>(
      '{ churnModels(first: 10) { totalCount edges { node { id state hash } } } }',
    );
    expect(churnModels.edges.map(({ node }) => node.state)).toEqual(['CANDIDATE', 'LIVE', 'RETIRED', 'REFUSED']);
    expect(churnModels.totalCount).toBe(4);
    expect(new Set(churnModels.edges.map(({ node }) => node.hash)).size).toBe(4);
  });

  test('everybody who is here has a probability with its reasons in words; risk reckons with it', async () => {
    const model = (await live()) as Card;
    const all = await predicted({ churnStatus: 'ACTIVE' });
    expect(all.length).toBeGreaterThan(50);
    const probabilities = all.map(({ churnPrediction }) => churnPrediction?.probability ?? -1);
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
    expect(Math.min(...probabilities)).toBeGreaterThanOrEqual(0);
    for (const { churnPrediction, risk } of all) {
      expect(churnPrediction?.model).toEqual({ id: model.id, state: 'LIVE' });
      expect(churnPrediction?.asOf).toBe(NOW.toISOString());
      expect(churnPrediction?.horizonDays).toBe(90);
      for (const { contribution, sentence } of churnPrediction?.reasons ?? []) {
        expect(sentence).toMatch(contribution > 0 ? / raises / : / lowers /);
      }
      const indicator = risk?.indicators.find(({ name }) => name === 'PREDICTED_CHURN');
      expect(indicator?.value).toBe(churnPrediction?.probability);
    }
    expect(model.drift?.customers).toBeGreaterThanOrEqual(all.length);
    expect(model.drift?.features).toHaveLength(33);
    const gone = await predicted({ churnStatus: 'CHURNED' });
    expect(gone.length).toBeGreaterThan(50);
    expect(gone.every(({ churnPrediction }) => churnPrediction === null)).toBe(true);
    const [highest] = probabilities;
    const likely = await predicted({ churnProbability: { min: highest } });
    expect(likely.map(({ churnPrediction }) => churnPrediction?.probability)).toEqual(
      probabilities.filter((one) => one === highest),
    );
  });

  test('a roll back puts the former model back in one call, predictions follow, and everything is on record', async () => {
    const before = (await live()) as Card;
    const { rollBackChurnModel } = await app.query<{ rollBackChurnModel: { model: Card } }>(
      'mutation ($input: RollBackChurnModelInput!) { rollBackChurnModel(input: $input) { ... on RollBackChurnModelSuccess { model { id state reason } } ... on DomainError { message } } }',
      { input: { reason: 'too eager' } },
    );
    const { model } = rollBackChurnModel;
    expect(model).toMatchObject({ state: 'LIVE', reason: 'Put back by a roll back: too eager' });
    expect(model.id).not.toBe(before.id);
    await app.settle();
    const [someone] = await predicted({ churnStatus: 'ACTIVE' });
    expect(someone?.churnPrediction?.model.id).toBe(model.id);
    expect(new Set(someone?.churnPredictionHistory.map(({ modelId }) => modelId))).toEqual(
      new Set([before.id, model.id]),
    );
    const audited = await app.app.infra.database.query<{ action: string }>(
      `select action from audit_entry where action like 'churn.%' order by at, id`,
    );
    expect(audited.filter(({ action }) => action === 'churn.judgeModel')).toHaveLength(4);
    expect(audited.at(-1)?.action).toBe('churn.rollBackModel');
    const told = await app.app.infra.database.query<{ type: string; payload: Record<string, unknown> }>(
      `select type, payload from outbox_event where type = 'churn.modelWentLive' order by epoch, xid, seq`,
    );
    expect(told.map(({ payload }) => payload.rolledBack)).toEqual([false, false, true]);
  });

  test('without three horizons of history a training ends with an error that says so', async () => {
    await setting('churn.inactivity', { days: 365 });
    expect(await train()).toMatchObject({ state: 'FAILED', errorCode: 'CHURN_HISTORY_TOO_SHORT', model: null });
    await setting('churn.inactivity', { days: 90 });
  });

  test('what was predicted of a person who is erased is gone', async () => {
    const [someone] = await predicted({ churnStatus: 'ACTIVE' });
    const { customer } = await app.query<{ customer: { id: string } }>(
      'query ($id: String!) { customer(externalId: $id) { id } }',
      {
        id: someone?.externalId,
      },
    );
    const rows = async () =>
      (
        await app.app.infra.database.query<{ rows: number }>(
          `select (select count(*) from churn_prediction)::int + (select count(*) from churn_prediction_history)::int as rows`,
        )
      )[0]?.rows ?? 0;
    const before = await rows();
    await app.query('mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }', {
      input: { customerId: customer.id },
    });
    await app.settle();
    expect(await rows()).toBe(before - 1 - (someone?.churnPredictionHistory.length ?? 0));
  });
});
