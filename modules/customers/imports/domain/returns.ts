/** A line of one customer and one product, in the order of time. Quantities are in thousandths, so that they are exact. */
export interface ReturnableLine {
  readonly row: number;
  readonly kind: 'purchase' | 'return';
  /** Above zero for both kinds. */
  readonly quantityMilli: number;
  /** Equal prices are matched before others; any exact text of it will do. */
  readonly price: string;
}

/** Part of a return that undoes part of a purchase. */
export interface Undoing {
  readonly returnRow: number;
  readonly purchaseRow: number;
  readonly quantityMilli: number;
}

/**
 * Which purchases the returns of one customer and product undo: the latest purchase before the return that still has
 * pieces left, those of the same price first, several when one is not enough. No piece is returned twice.
 * @param lines in the order of time; a purchase stands before a return of the same moment
 */
export function matchReturns(lines: readonly ReturnableLine[]): Undoing[] {
  const purchases: { row: number; price: string; left: number }[] = [];
  const found: Undoing[] = [];
  for (const line of lines) {
    if (line.kind === 'purchase') {
      purchases.push({ row: line.row, price: line.price, left: line.quantityMilli });
      continue;
    }
    let wanted = line.quantityMilli;
    for (const samePrice of [true, false]) {
      for (let at = purchases.length - 1; at >= 0 && wanted > 0; at--) {
        const purchase = purchases[at];
        if (purchase === undefined || purchase.left === 0 || (purchase.price === line.price) !== samePrice) continue;
        const taken = Math.min(wanted, purchase.left);
        purchase.left -= taken;
        wanted -= taken;
        found.push({ returnRow: line.row, purchaseRow: purchase.row, quantityMilli: taken });
      }
    }
  }
  return found;
}
