import type { Memory, Plan } from './memory.ts';
import { assemble, I32, local, V128, wasm } from './wasm.ts';

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

/** Bytes of a page of WebAssembly memory. */
const PAGE = 65_536;

/** Shared memory for a plan. */
export function createMemory({ bytes }: Plan): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/**
 * The kernel as WebAssembly, written for the plan: places and columns are constants in it, and a bin's two sums are
 * loaded, added to and stored as one SIMD value.
 */
export function createWasmKernel({ columns, binStart, at, bytes }: Plan, memory: WebAssembly.Memory): AddHistogram {
  const order = local(0);
  const end = local(1);
  const histogram = local(2);
  const row = local(3);
  const pair = local(4);
  const bin = local(5);
  const addToBins = Array.from({ length: columns }, (_, column) => {
    const place = 16 * binStart[column]!;
    const found = wasm.shiftLeft(wasm.loadByte(row.get, at.byRow + column), 4);
    return [
      ...bin.set(wasm.add(histogram.get, found)),
      ...wasm.storePair(bin.get, wasm.addPairs(wasm.loadPair(bin.get, place), pair.get), place),
    ];
  });
  const module = assemble(Math.ceil(bytes / PAGE), {
    parameters: [I32, I32, I32],
    locals: [I32, V128, I32],
    body: [
      wasm.repeat(
        [
          row.set(wasm.load(order.get, 0)),
          pair.set(wasm.widen(wasm.loadHalf(wasm.shiftLeft(row.get, 3), at.gradients))),
          row.set(wasm.multiply(row.get, wasm.const(columns))),
          ...addToBins,
          order.set(wasm.add(order.get, wasm.const(4))),
        ],
        wasm.lessUnsigned(order.get, end.get),
      ),
    ],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { of: { memory } });
  const run = exports.run as (order: number, end: number, histogram: number) => void;
  return (from, to, place) => {
    if (from < to) run(at.order + 4 * from, at.order + 4 * to, place);
  };
}
