/** Runs one import and tells its parent of every statement to the history engine before and after, until it is killed. */
import type { Analytics } from '../../src/core/analytics/types.ts';
import { openImports } from '../imports/engines.ts';

const [url = '', folder = '', jobId = ''] = process.argv.slice(2);

/** The parent kills at this moment: the statement must not go on before it has decided. */
const told = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('message', () => resolve());
    process.send?.('statement');
  });

const telling = (analytics: Analytics): Analytics => ({
  ...analytics,
  async query(sql, params, options) {
    await told();
    return analytics.query(sql, params, options);
  },
  async command(sql, params, options) {
    await told();
    await analytics.command(sql, params, options);
  },
  async insert(table, rows, options) {
    await analytics.insert(table, rows, options);
    await told();
  },
});

const { run, close } = await openImports({ url, folder }, telling);
await run(jobId);
await close();
process.send?.('done');
process.disconnect();
