import type { Analytics } from '../../../src/core/analytics/index.ts';
import { expand } from '../../../src/core/analytics/migrate.ts';
import type { ImportRun } from './pipeline.ts';

/** Tables that phases make beside the staging table, by what they hold. All begin with its name and go when it goes. */
const KINDS = ['misfits', 'duplicates', 'caps', 'undone', 'names', 'known', 'customers'] as const;
type Kind = (typeof KINDS)[number];

export const sideTable = (run: Pick<ImportRun, 'stage'>, kind: Kind): string => `${run.stage.table}_${kind}`;

/** Makes a side table anew: a phase that runs again begins with an empty one. */
export async function remakeTable(run: ImportRun, kind: Kind, columns: string): Promise<string> {
  const name = sideTable(run, kind);
  await dropTable(run.analytics, name);
  await run.analytics.command(
    expand(
      `CREATE TABLE ${name} {{on_cluster}} (${columns}) ENGINE = {{engine:MergeTree}} ORDER BY tuple()`,
      run.analytics.layout,
    ),
  );
  return name;
}

/** Removes the staged file and all that phases made of it. */
export async function dropStage(
  analytics: Analytics,
  stage: { readonly table: string; readonly rejects: string },
): Promise<void> {
  const names = [stage.table, stage.rejects, ...KINDS.map((kind) => `${stage.table}_${kind}`)];
  for (const name of names) await dropTable(analytics, name);
}

/** Whether the staged file is still there: it is not when the history engine was replaced or restored meanwhile. */
export async function stageExists(analytics: Analytics, table: string): Promise<boolean> {
  const found = await analytics.query(
    'SELECT name FROM system.tables WHERE database = {database:String} AND name = {table:String}',
    { database: analytics.database, table },
  );
  return found.length > 0;
}

const dropTable = (analytics: Analytics, name: string): Promise<void> =>
  analytics.command(expand(`DROP TABLE IF EXISTS ${name} {{on_cluster}} SYNC`, analytics.layout));
