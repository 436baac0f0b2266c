import type { Builder } from '../../../../src/core/builder/index.ts';
import {
  type CapExample,
  type CategoryReport,
  type CleaningReport,
  type CleaningStage,
  type Finding,
  type FindingExample,
  QUALITY_CATEGORIES,
  type QualityCategory,
  type QualityReport,
  type ReturnExample,
  type ReturnsReport,
} from '../domain/reports.ts';

const CATEGORY_DESCRIPTIONS: Readonly<Record<QualityCategory, string>> = {
  SCHEMA: 'Shape of rows and types of values.',
  MISSING: 'Values that are not there.',
  DUPLICATES: 'Rows that came before.',
  RANGES: 'Zero or negative where there should be something.',
  RETURNS: 'Cancellations and returns.',
  TIME: 'In the future, before the business began, out of order.',
  IDENTITY: 'No customer, or two customers with one id.',
  OUTLIERS: 'Values far beyond the usual, and contradictions.',
};

const SEVERITIES = {
  ERROR: { description: 'The row is refused, or taken out by a stage of cleaning.' },
  WARNING: { description: 'The row is kept; somebody should look at it.' },
  INFO: { description: 'As it should be, and counted.' },
} as const;

const UNITS = {
  ROWS: { description: 'Rows of the file.' },
  ORDERS: { description: 'Orders.' },
  CUSTOMERS: { description: 'Customers.' },
  PRODUCTS: { description: 'Products.' },
} as const;

/** Types of the data-quality report. */
export function qualityTypes(builder: Builder) {
  const Category = builder.enumType('QualityCategory', {
    description: 'The eight ways in which data can be wrong.',
    values: Object.fromEntries(
      QUALITY_CATEGORIES.map((name) => [name, { description: CATEGORY_DESCRIPTIONS[name] }]),
    ) as Record<QualityCategory, { description: string }>,
  });
  const SeverityEnum = builder.enumType('FindingSeverity', {
    description: 'How bad a finding is.',
    values: SEVERITIES,
  });
  const Unit = builder.enumType('FindingUnit', { description: 'What a finding counts.', values: UNITS });
  const Example = builder.objectRef<FindingExample>('FindingExample').implement({
    description: 'A place where a rule is broken.',
    fields: (t) => ({
      line: t.field({ type: 'SafeInt', description: 'Line of the file; a header is line 1.', resolve: (e) => e.line }),
      value: t.exposeString('value', { description: 'What stands there, cut at 200 characters.' }),
    }),
  });
  const FindingType = builder.objectRef<Finding>('QualityFinding').implement({
    description: 'A rule, and how often it is broken.',
    fields: (t) => ({
      rule: t.exposeString('rule', { description: 'Stable name of the rule, e.g. CUSTOMER_MISSING.' }),
      severity: t.field({ type: SeverityEnum, description: 'How bad it is.', resolve: (f) => f.severity }),
      column: t.exposeString('column', { nullable: true, description: 'Column of the file; null for the whole row.' }),
      unit: t.field({ type: Unit, description: 'What is counted.', resolve: (f) => f.unit }),
      message: t.exposeString('message', { description: 'The rule, for people.' }),
      count: t.field({ type: 'SafeInt', description: 'How often it is broken.', resolve: (f) => f.count }),
      examples: t.field({ type: [Example], description: 'Up to five places.', resolve: (f) => [...f.examples] }),
    }),
  });
  const CategoryType = builder.objectRef<CategoryReport>('QualityCategoryReport').implement({
    description: 'One of the eight categories, and what was found in it.',
    fields: (t) => ({
      category: t.field({ type: Category, description: 'The category.', resolve: (c) => c.category }),
      count: t.field({
        type: 'SafeInt',
        description: 'Findings of rows, added up: a row that breaks two rules counts twice.',
        resolve: (c) => c.count,
      }),
      severity: t.field({
        type: SeverityEnum,
        nullable: true,
        description: 'The worst severity found; null when nothing was.',
        resolve: (c) => c.severity,
      }),
      findings: t.field({
        type: [FindingType],
        description: 'Rules that are broken.',
        resolve: (c) => [...c.findings],
      }),
    }),
  });
  return builder.objectRef<QualityReport>('QualityReport').implement({
    description: 'What is known of a file before anything of it is stored.',
    fields: (t) => ({
      rows: t.field({ type: 'SafeInt', description: 'Rows of the file, without its header.', resolve: (q) => q.rows }),
      rowsWithErrors: t.field({
        type: 'SafeInt',
        description: 'Rows with at least one finding of severity ERROR.',
        resolve: (q) => q.rowsWithErrors,
      }),
      score: t.exposeFloat('score', {
        description: 'Share of rows without one, 0 to 1. Below `customers.imports.minimumQuality` the import asks.',
      }),
      categories: t.field({
        type: [CategoryType],
        description: 'All eight, in their order.',
        resolve: (q) => [...q.categories],
      }),
    }),
  });
}

/** Types of the cleaning report. */
export function cleaningTypes(builder: Builder) {
  const Stage = builder.objectRef<CleaningStage>('CleaningStage').implement({
    description: 'A stage of cleaning.',
    fields: (t) => ({
      stage: t.exposeInt('stage', { description: '1 to 5.' }),
      name: t.exposeString('name', { description: 'What it looks for.' }),
      rowsIn: t.field({ type: 'SafeInt', description: 'Rows that came in.', resolve: (s) => s.rowsIn }),
      rowsOut: t.field({ type: 'SafeInt', description: 'Rows that were left.', resolve: (s) => s.rowsOut }),
      note: t.exposeString('note', { description: 'What became of the others.' }),
    }),
  });
  const Revenue = builder.objectRef<CleaningReport['revenue'][number]>('CleanedRevenue').implement({
    description: 'Revenue of the rows that are kept, in one currency. Exact decimals in major units.',
    fields: (t) => ({
      currency: t.field({ type: 'Currency', description: 'The currency.', resolve: (r) => r.currency }),
      before: t.exposeString('before', { description: 'Before outliers are capped: what was really sold.' }),
      after: t.exposeString('after', { description: 'After.' }),
    }),
  });
  const Amounts = builder.objectRef<ReturnsReport['amounts'][number]>('ReturnedAmount').implement({
    description: 'What was returned in one currency. Exact decimals in major units.',
    fields: (t) => ({
      currency: t.field({ type: 'Currency', description: 'The currency.', resolve: (r) => r.currency }),
      amount: t.exposeString('amount', { description: 'All returns.' }),
      matched: t.exposeString('matched', { description: 'The part that undoes purchases of the file.' }),
    }),
  });
  const Undone = builder.objectRef<ReturnExample>('ReturnMatch').implement({
    description: 'A return and the purchase it undoes.',
    fields: (t) => ({
      line: t.field({ type: 'SafeInt', description: 'Line of the return.', resolve: (r) => r.line }),
      orderId: t.exposeString('orderId', { description: 'Order id of the return.' }),
      product: t.exposeString('product', { description: 'The product.' }),
      quantity: t.exposeString('quantity', { description: 'Pieces undone, an exact decimal.' }),
      undoesLine: t.field({ type: 'SafeInt', description: 'Line of the purchase.', resolve: (r) => r.undoesLine }),
      undoesOrderId: t.exposeString('undoesOrderId', { description: 'Order id of the purchase.' }),
    }),
  });
  const Returns = builder.objectRef<ReturnsReport>('ReturnsReport').implement({
    description: 'Returns, and the purchases they undo: the latest ones of the customer and product before them.',
    fields: (t) => ({
      rows: t.field({ type: 'SafeInt', description: 'Rows that are returns.', resolve: (r) => r.rows }),
      matched: t.field({ type: 'SafeInt', description: 'Wholly matched to purchases.', resolve: (r) => r.matched }),
      partly: t.field({ type: 'SafeInt', description: 'Matched in part.', resolve: (r) => r.partly }),
      unmatched: t.field({
        type: 'SafeInt',
        description: 'Without a purchase in the file.',
        resolve: (r) => r.unmatched,
      }),
      netted: t.exposeBoolean('netted', {
        description: 'Whether the matched amount was taken off the purchases (`customers.imports.returns`).',
      }),
      amounts: t.field({ type: [Amounts], description: 'By currency.', resolve: (r) => [...r.amounts] }),
      examples: t.field({ type: [Undone], description: 'Up to five matches.', resolve: (r) => [...r.examples] }),
    }),
  });
  const Cap = builder.objectRef<CapExample>('CappedValue').implement({
    description: 'A value to calculate with instead of the one that came; the row stays as it came.',
    fields: (t) => ({
      line: t.field({ type: 'SafeInt', description: 'Line of the file.', resolve: (c) => c.line }),
      product: t.exposeString('product', { description: 'The product.' }),
      column: t.exposeString('column', { description: '"quantity" or "unitPrice".' }),
      from: t.exposeString('from', { description: 'What came.' }),
      to: t.exposeString('to', { description: 'What is calculated with.' }),
    }),
  });
  const Capping = builder.objectRef<CleaningReport['capping']>('CappingReport').implement({
    description: 'What stage 5 changed. No row is dropped.',
    fields: (t) => ({
      rule: t.exposeString('rule', { description: 'The fence (`customers.imports.outliers`).' }),
      rows: t.field({ type: 'SafeInt', description: 'Rows with a capped value.', resolve: (c) => c.rows }),
      quantities: t.field({ type: 'SafeInt', description: 'Capped quantities.', resolve: (c) => c.quantities }),
      prices: t.field({ type: 'SafeInt', description: 'Capped unit prices.', resolve: (c) => c.prices }),
      examples: t.field({ type: [Cap], description: 'The farthest ones.', resolve: (c) => [...c.examples] }),
    }),
  });
  return builder.objectRef<CleaningReport>('CleaningReport').implement({
    description: 'The five stages of cleaning, and what they did. For order lines.',
    fields: (t) => ({
      stages: t.field({ type: [Stage], description: 'All five, in their order.', resolve: (c) => [...c.stages] }),
      customers: t.field({ type: 'SafeInt', description: 'Customers of the rows kept.', resolve: (c) => c.customers }),
      orders: t.field({ type: 'SafeInt', description: 'Orders of the rows kept.', resolve: (c) => c.orders }),
      revenue: t.field({ type: [Revenue], description: 'By currency.', resolve: (c) => [...c.revenue] }),
      returns: t.field({ type: Returns, description: 'Stage 2: returns.', resolve: (c) => c.returns }),
      capping: t.field({ type: Capping, description: 'Stage 5: outliers.', resolve: (c) => c.capping }),
    }),
  });
}
