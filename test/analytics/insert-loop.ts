import { openAnalytics } from '../../src/core/analytics/index.ts';

/** Inserts a thousand rows at a time and says each time how many rows are acknowledged, until it is killed. */
const [target = ''] = process.argv.slice(2);
const analytics = await openAnalytics(target.startsWith('http') ? { url: target } : { path: target }, {
  database: 'crash',
});
await analytics.command('CREATE TABLE IF NOT EXISTS acknowledged (n UInt64) ENGINE = MergeTree ORDER BY n');
const [last] = await analytics.query<{ rows: number }>('SELECT count() AS rows FROM acknowledged');
for (let n = last?.rows ?? 0; ; n += 1_000) {
  const rows = Array.from({ length: 1_000 }, (_, at) => ({ n: n + at }));
  await analytics.insert('acknowledged', rows, { dedupToken: String(n) });
  process.stdout.write(`${n + 1_000}\n`);
}
