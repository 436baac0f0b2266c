import { quoteText } from '../sql.ts';
import type { Analytics, QueryParams } from '../types.ts';
import type { RejectExample, RowCheck, RowRule, StagedFile } from './types.ts';

const EXAMPLES_PER_RULE = 5;

/**
 * Tries rules on all staged rows in one scan, and writes each breach of an error rule into the rejects table (a row that
 * breaks three rules has three rejects). SQL of a rule that gives NULL counts as not broken. May be called again.
 * @param params values for `{name:Type}` placeholders in the rules
 */
export async function checkRows(
  analytics: Analytics,
  staged: Pick<StagedFile, 'table' | 'rejects'>,
  rules: readonly RowRule[],
  params: QueryParams = {},
): Promise<RowCheck> {
  const broken = rules.map((rule) => `ifNull(toBool(${rule.broken}), false)`);
  const errors = rules.flatMap((rule, at) =>
    rule.severity === 'error' ? [{ rule, broken: broken[at] as string }] : [],
  );
  const goodRows = errors.length === 0 ? 'true' : `NOT (${errors.map((error) => error.broken).join(' OR ')})`;
  const [counts] = await analytics.query<RuleCounts>(
    `SELECT count() AS total, countIf(${goodRows}) AS good, [${broken.map((sql) => `countIf(${sql})`).join(', ')}] AS counts
     FROM ${staged.table}`,
    params,
  );
  const { total = 0, good = 0 } = counts ?? {};
  // Values are made into texts only for rules that are broken, and only of rows that break one.
  const found = rules.flatMap((rule, at) =>
    (counts?.counts[at] ?? 0) > 0 ? [{ rule, broken: broken[at] as string }] : [],
  );
  const examples = await examplesOf(analytics, staged.table, found, params);
  const findings = rules.map((rule, at) => ({
    rule: rule.rule,
    column: rule.column,
    severity: rule.severity,
    count: counts?.counts[at] ?? 0,
    examples: examples.get(rule) ?? [],
  }));
  const names = errors.map(({ rule }) => rule.rule);
  const [before] = await analytics.query<{ written: number }>(
    `SELECT count() AS written FROM ${staged.rejects} WHERE rule IN {names:Array(String)}`,
    { names },
  );
  // An import that died here and is resumed tries the rules again.
  if (before !== undefined && before.written > 0) {
    await analytics.command(`DELETE FROM ${staged.rejects} WHERE rule IN {names:Array(String)}`, { names });
  }
  if (good < total) {
    const breaches = errors.map(
      (error) =>
        `(${quoteText(error.rule.column)}, ${quoteText(error.rule.rule)}, ${valueSql(error.rule)}, ${error.broken})`,
    );
    await analytics.command(
      `INSERT INTO ${staged.rejects} (line, row, column, rule, value)
       SELECT line, row, breach.1, breach.2, breach.3
       FROM ${staged.table} ARRAY JOIN arrayFilter(breach -> breach.4, [${breaches.join(', ')}]) AS breach
       WHERE NOT (${goodRows})`,
      params,
    );
  }
  return { findings, good, rejected: total - good, goodRows: good === total ? 'true' : goodRows };
}

interface RuleCounts {
  readonly total: number;
  readonly good: number;
  readonly counts: readonly number[];
}

/** The first rows that break each rule, in the order of the file. */
async function examplesOf(
  analytics: Analytics,
  table: string,
  found: readonly { readonly rule: RowRule; readonly broken: string }[],
  params: QueryParams,
): Promise<Map<RowRule, RejectExample[]>> {
  if (found.length === 0) return new Map();
  const lists = found.map(
    ({ rule, broken }) =>
      `groupArraySortedIf(${EXAMPLES_PER_RULE})((line, if(${broken}, ${valueSql(rule)}, '')), ${broken})`,
  );
  const [row] = await analytics.query<{ examples: readonly (readonly [number, string][])[] }>(
    `SELECT [${lists.join(', ')}] AS examples FROM ${table} WHERE ${found.map(({ broken }) => broken).join(' OR ')}`,
    params,
  );
  return new Map(
    found.map(({ rule }, at) => [rule, (row?.examples[at] ?? []).map(([line, value]) => ({ line, value }))]),
  );
}

const valueSql = (rule: RowRule): string => `substringUTF8(toString(${rule.value}), 1, 200)`;
