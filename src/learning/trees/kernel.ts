import type { Memory, Plan } from './memory.ts';

/**
 * Adds gradient and hessian of the rows `order[from]` to `order[to - 1]` to the bins they are in, in every column; the
 * histogram is the pairs of 64-bit floats that begin at byte `histogram`. All are whole numbers below 2^53, so that
 * their sums are exact whatever the order.
 */
export type AddHistogram = (from: number, to: number, histogram: number) => void;

/** The same in plain TypeScript, for small data and to check the WebAssembly by. */
export function createPlainKernel({ columns, binStart }: Plan, memory: Memory): AddHistogram {
  const { order, byRow, gradientUnits, buffer } = memory;
  const sums = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
  const starts = Uint32Array.from(binStart, (start) => 2 * start);
  return (from, to, histogram) => {
    const base = histogram / 8;
    for (let index = from; index < to; index++) {
      const row = order[index]!;
      const gradient = gradientUnits[2 * row]!;
      const hessian = gradientUnits[2 * row + 1]!;
      const first = row * columns;
      for (let column = 0; column < columns; column++) {
        const at = base + starts[column]! + 2 * byRow[first + column]!;
        sums[at]! += gradient;
        sums[at + 1]! += hessian;
      }
    }
  };
}
