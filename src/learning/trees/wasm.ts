/**
 * Just enough of an assembler to write a WebAssembly function as nested calls: each returns the bytes of an instruction
 * with its operands before it. Opcodes are those of the WebAssembly core specification 2.0, chapter "Binary format".
 */
export type Code = readonly number[];

/** Value types. */
export const I32 = 0x7f;
export const V128 = 0x7b;

/** A local variable of a function, parameters first. */
export interface Local {
  readonly get: Code;
  set(value: Code): Code;
  /** Sets it and leaves the value. */
  tee(value: Code): Code;
}

export function local(index: number): Local {
  return {
    get: [0x20, ...unsigned(index)],
    set: (value) => [...value, 0x21, ...unsigned(index)],
    tee: (value) => [...value, 0x22, ...unsigned(index)],
  };
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const SIMD = 0xfd;
/** Instructions; `at` is added to the address. */
export const wasm = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: (a: Code, b: Code): Code => [...a, ...b, 0x6a],
  multiply: (a: Code, b: Code): Code => [...a, ...b, 0x6c],
  shiftLeft: (a: Code, bits: number): Code => [...a, 0x41, ...signed(bits), 0x74],
  lessUnsigned: (a: Code, b: Code): Code => [...a, ...b, 0x49],
  /** The smaller of two unsigned numbers. */
  least: (a: Code, b: Code): Code => [...a, ...b, ...a, ...b, 0x49, 0x1b],
  subtract: (a: Code, b: Code): Code => [...a, ...b, 0x6b],
  store: (address: Code, value: Code, at: number): Code => [...address, ...value, 0x36, 2, ...unsigned(at)],
  loadByte: (address: Code, at: number): Code => [...address, 0x2d, 0, ...unsigned(at)],
  load: (address: Code, at: number): Code => [...address, 0x28, 2, ...unsigned(at)],
  loadFloat: (address: Code, at: number): Code => [...address, 0x2b, 3, ...unsigned(at)],
  /** A 32-bit float as a 64-bit one. */
  loadNarrowFloat: (address: Code, at: number): Code => [...address, 0x2a, 2, ...unsigned(at), 0xbb],
  storeFloat: (address: Code, value: Code, at: number): Code => [...address, ...value, 0x39, 3, ...unsigned(at)],
  addFloats: (a: Code, b: Code): Code => [...a, ...b, 0xa0],
  floatBelow: (a: Code, b: Code): Code => [...a, ...b, 0x63],
  /** Two 32-bit numbers, with zeros above. */
  loadHalf: (address: Code, at: number): Code => [...address, SIMD, 0x5d, 3, ...unsigned(at)],
  loadPair: (address: Code, at: number): Code => [...address, SIMD, 0x00, 4, ...unsigned(at)],
  storePair: (address: Code, value: Code, at: number): Code => [...address, ...value, SIMD, 0x0b, 4, ...unsigned(at)],
  /** The two lower signed 32-bit integers as 64-bit floats. */
  widen: (value: Code): Code => [...value, SIMD, 0xfe, 0x01],
  addPairs: (a: Code, b: Code): Code => [...a, ...b, SIMD, 0xf0, 0x01],
  /** Runs `body` at least once, and again while `condition` holds after it. */
  repeat: (body: readonly Code[], condition: Code): Code => [0x03, 0x40, ...body.flat(), ...condition, 0x0d, 0, 0x0b],
};

interface Definition {
  /** Pages of 64 KiB that the imported memory has. */
  readonly pages: number;
  readonly shared: boolean;
  readonly parameters: readonly number[];
  readonly locals: readonly number[];
  readonly body: readonly Code[];
}

function section(id: number, content: Code): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function text(value: string): number[] {
  return [...unsigned(value.length), ...Array.from(value, (character) => character.charCodeAt(0))];
}

/** A module that imports memory as `of.memory` and exports one function, whose result is an integer, as `run`. */
export function assemble({ pages, shared, parameters, locals, body }: Definition): Uint8Array<ArrayBuffer> {
  const declared = locals.flatMap((type) => [1, type]);
  const code = [...unsigned(locals.length), ...declared, ...body.flat(), 0x0b];
  const limits = shared ? 0x03 : 0x01;
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, ...unsigned(parameters.length), ...parameters, 1, I32]),
    ...section(2, [1, ...text('of'), ...text('memory'), 0x02, limits, ...unsigned(pages), ...unsigned(pages)]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('run'), 0x00, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}
