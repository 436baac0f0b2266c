import type { MovementKind } from './movements.ts';

/** Movements of a stretch of time by kind. Amounts in minor units of one currency. */
export interface MovementSum {
  /** From 0: which of the stretches asked for; -1 is all time before the first. */
  readonly stretch: number;
  readonly kind: MovementKind;
  /** Signed. */
  readonly deltaMinor: number;
  readonly movements: number;
  /** Of `deltaMinor`, what was paid by customers who had paid without a break since before the stretch. */
  readonly retainedMinor: number;
}

/** What moved, as amounts at or above zero. */
export interface MovementAmounts {
  readonly new: number;
  readonly expansion: number;
  readonly contraction: number;
  readonly churned: number;
  readonly reactivation: number;
}

/** MRR of a stretch of time: start + new + expansion + reactivation − contraction − churned = end. */
export interface MrrFigures {
  readonly startMinor: number;
  readonly endMinor: number;
  readonly amounts: MovementAmounts;
  /** How many movements there were of each kind. */
  readonly counts: MovementAmounts;
  readonly customersAtStart: number;
  readonly customersAtEnd: number;
  /** What of the movements concerns revenue that was there at the start: NRR and GRR are reckoned from these. */
  readonly retained: { readonly expansion: number; readonly contraction: number; readonly churned: number };
  /** (start + expansion − contraction − churned) / start; null without revenue at the start. */
  readonly nrr: number | null;
  /** (start − contraction − churned) / start. */
  readonly grr: number | null;
  /** (new + expansion + reactivation) / (contraction + churned); null when nothing was lost. */
  readonly quickRatio: number | null;
  /** MRR per paying customer at the end, in minor units and their fractions; null without one. */
  readonly arpaMinor: number | null;
}

const KINDS = {
  NEW: 'new',
  EXPANSION: 'expansion',
  CONTRACTION: 'contraction',
  CHURNED: 'churned',
  REACTIVATION: 'reactivation',
} as const;
const NOTHING = { new: 0, expansion: 0, contraction: 0, churned: 0, reactivation: 0 };

/** a / b; null instead of a division by zero. */
export const ratio = (a: number, b: number): number | null => (b === 0 ? null : a / b);

/** How many customers more pay after a movement than before it. */
const JOINS: Readonly<Record<MovementKind, number>> = {
  NEW: 1,
  REACTIVATION: 1,
  CHURNED: -1,
  EXPANSION: 0,
  CONTRACTION: 0,
};

/** MRR of consecutive stretches of time, each beginning where the one before ends. */
export function mrrFigures(stretches: number, sums: readonly MovementSum[]): MrrFigures[] {
  const before = sums.filter(({ stretch }) => stretch < 0);
  let startMinor = before.reduce((sum, { deltaMinor }) => sum + deltaMinor, 0);
  let customersAtStart = before.reduce((sum, { kind, movements }) => sum + JOINS[kind] * movements, 0);
  return Array.from({ length: stretches }, (_, stretch) => {
    const amounts = { ...NOTHING };
    const counts = { ...NOTHING };
    const kept = { ...NOTHING };
    let endMinor = startMinor;
    let customersAtEnd = customersAtStart;
    for (const sum of sums) {
      if (sum.stretch !== stretch) continue;
      const kind = KINDS[sum.kind];
      amounts[kind] += Math.abs(sum.deltaMinor);
      counts[kind] += sum.movements;
      kept[kind] += Math.abs(sum.retainedMinor);
      endMinor += sum.deltaMinor;
      customersAtEnd += JOINS[sum.kind] * sum.movements;
    }
    const { expansion, contraction, churned } = kept;
    const figures: MrrFigures = {
      startMinor,
      endMinor,
      amounts,
      counts,
      customersAtStart,
      customersAtEnd,
      retained: { expansion, contraction, churned },
      nrr: ratio(startMinor + expansion - contraction - churned, startMinor),
      grr: ratio(startMinor - contraction - churned, startMinor),
      quickRatio: ratio(amounts.new + amounts.expansion + amounts.reactivation, amounts.contraction + amounts.churned),
      arpaMinor: ratio(endMinor, customersAtEnd),
    };
    startMinor = endMinor;
    customersAtStart = customersAtEnd;
    return figures;
  });
}

/**
 * ARPA × gross margin / monthly churn, in whole minor units.
 * @param monthlyChurn 0 to 1; null when it is not known
 * @returns null when nobody pays, or nobody leaves
 */
export function lifetimeValue(
  arpaMinor: number | null,
  grossMargin: number,
  monthlyChurn: number | null,
): number | null {
  if (arpaMinor === null || monthlyChurn === null || monthlyChurn === 0) return null;
  const value = Math.round((arpaMinor * grossMargin) / monthlyChurn);
  return Number.isSafeInteger(value) ? value : null;
}
