import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterCustomers } from './clustering.ts';
import { CLUSTER_FEATURES, type ClusterProfile, nameClusters } from './clusters.ts';

const OPTIONS = { kMin: 3, kMax: 6, restarts: 3, seed: 1, sampleMax: 1_000 };

const centre = (value: fc.Arbitrary<number>) =>
  fc.record(Object.fromEntries(CLUSTER_FEATURES.map((feature) => [feature, value]))) as fc.Arbitrary<
    ClusterProfile['centre']
  >;

const anyCentre = fc.oneof(centre(fc.double({ min: -4, max: 4, noNaN: true })), centre(fc.constantFrom(-1, 0, 1)));

describe('names of clusters', () => {
  test('are never alike, and hold no number where the clusters differ', () => {
    const profiles = fc.array(fc.record({ customers: fc.integer({ min: 1, max: 5 }), centre: anyCentre }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(profiles, (clusters) => {
        const names = nameClusters(clusters);
        expect(new Set(names).size).toBe(clusters.length);
        for (const name of names) expect(name).toMatch(/^(Active|Cooling|Lapsed) (rare|occasional|frequent) /);
      }),
    );
  });

  test('say what the customers are like', () => {
    const like = (recencyDays: number, orders: number, revenue: number, tenureDays = 0): ClusterProfile => ({
      customers: 10,
      centre: { recencyDays, orders, revenue, averageOrder: 0, tenureDays, meanGapDays: 0, distinctProducts: 0 },
    });
    expect(nameClusters([like(-1, 1, 1), like(1, -1, -1), like(0, 0, 0, 1), like(0, 0, 0, -1)])).toEqual([
      'Active frequent big spenders',
      'Lapsed rare small spenders',
      'Cooling occasional middling spenders, long known',
      'Cooling occasional middling spenders, newer',
    ]);
  });
});

describe('clustering of customers', () => {
  /** Three kinds of customers, far from one another: [recency, orders, revenue, average, tenure, gap, products]. */
  const kinds = [
    [3, 20, 5_000, 250, 300, 15, 90],
    [200, 1, 40, 40, 210, 200, 3],
    [40, 4, 400, 100, 150, 40, 20],
  ];
  const values = Float64Array.from(
    Array.from({ length: 120 }, (_, row) =>
      (kinds[row % 3] as number[]).map((value) => value * (1 + (row % 7) / 20)),
    ).flat(),
  );

  test('finds kinds of customers, the same each time, and says why so many', () => {
    const found = clusterCustomers(values, OPTIONS);
    expect(found).toMatchObject({ k: 3 });
    expect(found?.reason).toContain('k = 3');
    expect(found?.clusters.map(({ customers }) => customers)).toEqual([40, 40, 40]);
    expect(found?.clusters.map(({ name }) => name).toSorted()).toEqual([
      'Active frequent big spenders',
      'Cooling occasional middling spenders',
      'Lapsed rare small spenders',
    ]);
    expect(clusterCustomers(values, OPTIONS)).toEqual(found);
    for (let row = 3; row < 120; row++) expect(found?.clusterOf[row]).toBe(found?.clusterOf[row - 3]);
  });

  test('assigns those it did not look at to the clusters it found', () => {
    const sampled = clusterCustomers(values, { ...OPTIONS, kMax: 3, sampleMax: 60 });
    expect(sampled?.clusters.map(({ customers }) => customers)).toEqual([40, 40, 40]);
  });

  test('gives up on too few customers, and on customers who are too alike', () => {
    expect(clusterCustomers(values.slice(0, 7 * 14), OPTIONS)).toBeNull();
    expect(
      clusterCustomers(
        Float64Array.from({ length: 7 * 30 }, (_, at) => (at < 105 ? 1 : 9)),
        OPTIONS,
      ),
    ).toBeNull();
  });
});
