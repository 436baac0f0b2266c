import type { CategoryReport, CleaningReport, QualityReport } from '../../../modules/customers/imports/contract.ts';
import { table } from './table.ts';
import type { ImportView } from './view.ts';

const CATEGORY_NAMES: Readonly<Record<CategoryReport['category'], string>> = {
  SCHEMA: 'Schema and types',
  MISSING: 'Missing values',
  DUPLICATES: 'Duplicates',
  RANGES: 'Ranges',
  RETURNS: 'Cancellations, returns',
  TIME: 'Time',
  IDENTITY: 'Identity',
  OUTLIERS: 'Outliers, consistency',
};

const UNIT_NAMES = { ROWS: 'rows', ORDERS: 'orders', CUSTOMERS: 'customers', PRODUCTS: 'products' } as const;

export const count = (value: number): string => value.toLocaleString('en');
/** Cut, not rounded: a score never looks better than it is. */
export const percent = (share: number): string => `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;

/** An exact decimal for people: thousands grouped, two places. */
export function decimal(text: string): string {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const hundredths = Math.round(Number(`${fraction.padEnd(3, '0').slice(0, 3)}`) / 10);
  const carry = hundredths === 100 ? 1n : 0n;
  const sign = text.startsWith('-') ? '-' : '';
  const shown = (BigInt(whole) + carry).toLocaleString('en');
  return `${sign}${shown}.${String(hundredths % 100).padStart(2, '0')}`;
}

/** The data-quality report: all eight categories, each with what was found. */
export function qualityText(quality: QualityReport): string {
  const rows = quality.categories.flatMap(({ category, findings }, at) => {
    const name = `${at + 1} ${CATEGORY_NAMES[category]}`;
    if (findings.length === 0) return [[name, '-', '0', '', 'nothing found']];
    return findings.map((finding, index) => {
      const [example] = finding.examples;
      const seen =
        example === undefined ? '' : `line ${count(example.line)}${example.value === '' ? '' : `: ${example.value}`}`;
      return [
        index === 0 ? name : '',
        finding.severity.toLowerCase(),
        `${count(finding.count)} ${UNIT_NAMES[finding.unit]}`,
        finding.rule,
        seen.length > 44 ? `${seen.slice(0, 43)}…` : seen,
      ];
    });
  });
  const summary = `quality ${percent(quality.score)}: ${count(quality.rows - quality.rowsWithErrors)} of ${count(quality.rows)} rows without an error`;
  return [
    'Data quality',
    table(['category', 'severity', 'found', 'rule', 'for example'], rows, ['left', 'left', 'right', 'left', 'left']),
    summary,
  ].join('\n');
}

/** The cleaning report: five stages with rows in and out, returns, capping, and what is left. */
export function cleaningText(cleaning: CleaningReport): string {
  const { stages, returns, capping, revenue } = cleaning;
  const rows = stages.map(({ stage, name, rowsIn, rowsOut, note }) => [
    `${stage} ${name}`,
    count(rowsIn),
    count(rowsOut),
    rowsIn === rowsOut ? '' : `-${count(rowsIn - rowsOut)}`,
    note,
  ]);
  const lines = [
    'Cleaning',
    table(['stage', 'rows in', 'rows out', 'taken out', ''], rows, ['left', 'right', 'right', 'right', 'left']),
    `returns: ${count(returns.rows)}, of which ${count(returns.matched)} undo purchases of the file, ${count(returns.partly)} in part, ` +
      `${count(returns.unmatched)} none; ${returns.netted ? 'netted' : 'not netted (customers.imports.returns)'}`,
  ];
  const [match] = returns.examples;
  if (match !== undefined) {
    lines.push(
      `  e.g. line ${count(match.line)} (${match.orderId}, ${match.quantity} of ${match.product}) undoes line ${count(match.undoesLine)} (${match.undoesOrderId})`,
    );
  }
  lines.push(
    `outliers: ${count(capping.quantities)} quantities and ${count(capping.prices)} prices capped: ${capping.rule}`,
  );
  const [cap] = capping.examples;
  if (cap !== undefined) lines.push(`  e.g. line ${count(cap.line)}: ${cap.column} ${cap.from} counts as ${cap.to}`);
  for (const { currency, before, after } of revenue) {
    lines.push(`revenue: ${currency} ${decimal(before)}; ${decimal(after)} with outliers capped`);
  }
  lines.push(`kept: ${count(cleaning.customers)} customers, ${count(cleaning.orders)} orders`);
  return lines.join('\n');
}

/** What the import changed, in a few lines. */
export function resultText(view: ImportView): string {
  const { result, error, state } = view;
  if (error !== null) return `failed: ${error.message} (${error.code})`;
  if (view.dryRun && state === 'DONE') return 'dry run: nothing was stored';
  if (result === null) return `the import is ${state.toLowerCase()}`;
  if (view.isRepeat) return 'the same file was imported in the same way before: nothing to do';
  const changes = [
    [result.customersCreated, 'customers'],
    [result.ordersCreated, 'orders'],
    [result.recordsCreated, 'records'],
  ] as const;
  const made = changes.filter(([number]) => number > 0).map(([number, what]) => `${count(number)} ${what}`);
  const changed = result.ordersChanged + result.recordsChanged;
  const parts = [
    `${count(result.rowsStored)} rows stored, ${count(result.rowsRefused)} refused`,
    `new: ${made.length === 0 ? 'nothing' : made.join(', ')}`,
    ...(changed === 0 ? [] : [`changed: ${count(changed)}`]),
    ...(result.ignoredColumns.length === 0 ? [] : [`columns nobody keeps: ${result.ignoredColumns.join(', ')}`]),
  ];
  return parts.join('; ');
}
