import { checkRows, type RowRule } from '../../../src/core/analytics/index.ts';
import { ruleMessage } from './domain/messages.ts';
import type { Finding, FindingExample, FindingUnit, QualityCategory, Severity } from './domain/reports.ts';
import { columnOf, type ImportRun } from './pipeline.ts';

/** A rule on single rows. */
export interface LocalRule {
  readonly rule: string;
  readonly category: QualityCategory;
  readonly severity: Severity;
  /** Field it speaks of; null for the whole row. */
  readonly field: string | null;
  /** SQL, true for a row that breaks it. */
  readonly broken: string;
  /** SQL of the value to show. */
  readonly value: string;
}

/** What trying the rules gave. */
export interface LocalFindings {
  readonly findings: readonly Finding[];
  /** SQL, true for rows that break no rule of severity ERROR. */
  readonly goodRows: string;
  readonly rowsWithErrors: number;
}

/** Tries the rules on all staged rows in one scan; rows that break an ERROR stand in the rejects afterwards. */
export async function tryRules(run: ImportRun, rules: readonly LocalRule[]): Promise<LocalFindings> {
  const rowRules = rules.map(
    (rule): RowRule => ({
      rule: rule.rule,
      column: (rule.field === null ? null : columnOf(run.options, rule.field)) ?? '',
      broken: rule.broken,
      value: rule.value,
      severity: rule.severity === 'ERROR' ? 'error' : 'warning',
    }),
  );
  const check = await checkRows(run.analytics, run.stage, rowRules);
  return {
    goodRows: check.goodRows,
    rowsWithErrors: check.rejected,
    findings: rules.map((rule, at) => {
      const found = check.findings[at];
      return {
        rule: rule.rule,
        category: rule.category,
        severity: rule.severity,
        column: rule.field === null ? null : columnOf(run.options, rule.field),
        unit: 'ROWS',
        message: ruleMessage(rule.rule),
        count: found?.count ?? 0,
        examples: found?.examples ?? [],
      };
    }),
  };
}

/** A rule on things that rows are about: orders, customers, products. */
export interface GroupRule {
  readonly rule: string;
  readonly category: QualityCategory;
  readonly unit: FindingUnit;
  readonly field: string | null;
  /** SELECT of one row per breach: `line` of an example row, `value` to show. */
  readonly sql: string;
}

const EXAMPLES = 5;

/** Tries a rule on groups of rows. They are warnings: one row alone is not to blame. */
export async function tryGroupRule(run: ImportRun, rule: GroupRule): Promise<Finding> {
  const [found] = await run.analytics.query<{ count: number; examples: [number, string][] }>(
    `SELECT count() AS count, groupArray(${EXAMPLES})((line, substringUTF8(value, 1, 200))) AS examples
     FROM (${rule.sql} ORDER BY line)`,
  );
  return {
    rule: rule.rule,
    category: rule.category,
    severity: 'WARNING',
    column: rule.field === null ? null : columnOf(run.options, rule.field),
    unit: rule.unit,
    message: ruleMessage(rule.rule),
    count: found?.count ?? 0,
    examples: (found?.examples ?? []).map(([line, value]): FindingExample => ({ line, value })),
  };
}

/** What staging itself refused, as findings. */
export async function shapeFindings(run: ImportRun): Promise<Finding[]> {
  const counted = run.stage.findings;
  if (counted.length === 0) return [];
  const rows = await run.analytics.query<{ rule: string; column: string; line: number; value: string }>(
    `SELECT rule, column, line, value FROM ${run.stage.rejects} WHERE rule IN {rules:Array(String)}
     ORDER BY rule, column, line LIMIT ${EXAMPLES} BY rule, column`,
    { rules: counted.map(({ rule }) => rule) },
  );
  return counted.map(({ rule, column, count }) => ({
    rule,
    category: 'SCHEMA' as const,
    severity: 'ERROR' as const,
    column,
    unit: 'ROWS' as const,
    message: ruleMessage(rule),
    count,
    examples: rows
      .filter((row) => row.rule === rule && row.column === (column ?? ''))
      .map(({ line, value }) => ({ line, value })),
  }));
}

/** Keeps what was refused beyond the life of the staging tables: the rejects file is made from it. */
export async function keepRejects(run: ImportRun): Promise<void> {
  await run.analytics.command(
    `INSERT INTO import_reject (job_id, line, column, rule, value, message)
     SELECT {job:UUID}, line, column, rule, value, message FROM ${run.stage.rejects}`,
    { job: run.job.id },
  );
}
