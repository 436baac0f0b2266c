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
  const examples = rules.map(
    (rule, at) => `groupArrayIf(${EXAMPLES_PER_RULE})((line, ${valueSql(rule)}), ${broken[at]})`,
  );
  const [counts] = await analytics.query<RuleCounts>(
    `SELECT count() AS total, countIf(${goodRows}) AS good,
       [${broken.map((sql) => `countIf(${sql})`).join(', ')}] AS counts,
       [${examples.join(', ')}] AS examples
     FROM ${staged.table}`,
    params,
  );
  const { total = 0, good = 0 } = counts ?? {};
  const findings = rules.map(({ rule, column, severity }, at) => ({
    rule,
    column,
    severity,
    count: counts?.counts[at] ?? 0,
    examples: (counts?.examples[at] ?? []).map(([line, value]): RejectExample => ({ line, value })),
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
  readonly examples: readonly (readonly [number, string][])[];
}

const valueSql = (rule: RowRule): string => `substringUTF8(toString(${rule.value}), 1, 200)`;
