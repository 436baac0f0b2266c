/** The eight ways in which data can be wrong, in the order they are reported. */
export const QUALITY_CATEGORIES = [
  'SCHEMA',
  'MISSING',
  'DUPLICATES',
  'RANGES',
  'RETURNS',
  'TIME',
  'IDENTITY',
  'OUTLIERS',
] as const;
export type QualityCategory = (typeof QUALITY_CATEGORIES)[number];

/** ERROR: the row is refused or dropped. WARNING: it is kept, look at it. INFO: it is as it should be, and counted. */
export type Severity = 'ERROR' | 'WARNING' | 'INFO';

/** What a finding counts: rows of the file, or things that rows are about. */
export type FindingUnit = 'ROWS' | 'ORDERS' | 'CUSTOMERS' | 'PRODUCTS';

/** One place where a rule is broken. */
export interface FindingExample {
  readonly line: number;
  readonly value: string;
}

/** A rule and how often it is broken. */
export interface Finding {
  readonly rule: string;
  readonly category: QualityCategory;
  readonly severity: Severity;
  /** The file's column; null when the row as a whole is meant. */
  readonly column: string | null;
  readonly unit: FindingUnit;
  readonly message: string;
  readonly count: number;
  readonly examples: readonly FindingExample[];
}

/** One of the eight categories with what was found in it. */
export interface CategoryReport {
  readonly category: QualityCategory;
  /** Findings of rows, added up; a row that breaks two rules counts twice. */
  readonly count: number;
  /** The worst severity found; null when nothing was. */
  readonly severity: Severity | null;
  readonly findings: readonly Finding[];
}

/** What is known of a file before anything of it is stored. */
export interface QualityReport {
  readonly rows: number;
  /** Rows with at least one finding of severity ERROR. */
  readonly rowsWithErrors: number;
  /** Share of rows without one, 0 to 1; 1 for a file without rows. */
  readonly score: number;
  readonly categories: readonly CategoryReport[];
}

const RANK: Readonly<Record<Severity, number>> = { INFO: 1, WARNING: 2, ERROR: 3 };

/** Puts findings into their categories; rules that nothing breaks are left out, the eight categories never. */
export function qualityReport(rows: number, rowsWithErrors: number, findings: readonly Finding[]): QualityReport {
  const found = findings.filter((finding) => finding.count > 0);
  return {
    rows,
    rowsWithErrors,
    score: qualityScore(rows, rowsWithErrors),
    categories: QUALITY_CATEGORIES.map((category) => {
      const own = found.filter((finding) => finding.category === category);
      const worst = own.reduce<Severity | null>(
        (soFar, { severity }) => (soFar === null || RANK[severity] > RANK[soFar] ? severity : soFar),
        null,
      );
      const count = own.reduce((sum, finding) => sum + (finding.unit === 'ROWS' ? finding.count : 0), 0);
      return { category, count, severity: worst, findings: own };
    }),
  };
}

/** Share of rows without an error, cut (not rounded) to four places so that it never looks better than it is. */
export function qualityScore(rows: number, rowsWithErrors: number): number {
  return rows === 0 ? 1 : Math.floor(((rows - rowsWithErrors) / rows) * 10_000) / 10_000;
}

/** A stage of cleaning: what came in and what was left. */
export interface CleaningStage {
  readonly stage: number;
  readonly name: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly note: string;
}

/** Returns, and the purchases they undo. */
export interface ReturnsReport {
  readonly rows: number;
  /** Wholly covered by purchases of the same customer and product before them. */
  readonly matched: number;
  /** Covered in part. */
  readonly partly: number;
  /** No such purchase is in the file. */
  readonly unmatched: number;
  /** Exact decimals in major units: of all returns, and of the part that was matched. */
  readonly amounts: readonly { readonly currency: string; readonly amount: string; readonly matched: string }[];
  /** Whether the matched amount was taken off the purchases as well. */
  readonly netted: boolean;
  readonly examples: readonly ReturnExample[];
}

export interface ReturnExample {
  readonly line: number;
  readonly orderId: string;
  readonly product: string;
  readonly quantity: string;
  /** Line and order of the purchase undone. */
  readonly undoesLine: number;
  readonly undoesOrderId: string;
}

/** What stage 5 changed. */
export interface CappingReport {
  readonly rule: string;
  readonly rows: number;
  readonly quantities: number;
  readonly prices: number;
  readonly examples: readonly CapExample[];
}

export interface CapExample {
  readonly line: number;
  readonly product: string;
  readonly column: 'quantity' | 'unitPrice';
  readonly from: string;
  readonly to: string;
}

/** The five stages of cleaning, with what they did. */
export interface CleaningReport {
  readonly stages: readonly CleaningStage[];
  readonly customers: number;
  readonly orders: number;
  /** Exact decimals in major units, before and after outliers are capped; currencies are never added. */
  readonly revenue: readonly { readonly currency: string; readonly before: string; readonly after: string }[];
  readonly returns: ReturnsReport;
  readonly capping: CappingReport;
}
