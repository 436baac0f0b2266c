/** A stream of pseudo-random numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** A whole number in [0, 2^32). */
  uint32(): number;
  /** A number in [0, 1) with 53 random bits. */
  unit(): number;
  /** A whole number in [0, bound), each equally likely; `bound` is a whole number in [1, 2^32]. */
  below(bound: number): number;
}

const TWO_32 = 2 ** 32;
/** High and low parts of a 53-bit mantissa: 27 + 26 bits. */
const TWO_26 = 2 ** 26;
const TWO_53 = 2 ** 53;

/** splitmix32: spreads a seed over the state, so that neighbouring seeds give unrelated streams. */
function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

const rotateLeft = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/**
 * xoshiro128** (Blackman, Vigna: Scrambled linear pseudorandom number generators, 2021), period 2^128 - 1.
 * @param seed any whole number up to 2^53 in size; both halves of it count
 */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`The seed ${seed} is not a whole number up to 2^53.`);
  const low = splitmix32(seed % TWO_32);
  const high = splitmix32(Math.floor(seed / TWO_32) ^ 0x5851f42d);
  let s0 = low() ^ high();
  let s1 = low() ^ high();
  let s2 = low() ^ high();
  // The state must not be all zeros.
  let s3 = low() ^ high() || 1;

  const uint32 = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotateLeft(s3, 11);
    return result;
  };
  return {
    uint32,
    unit: () => ((uint32() >>> 5) * TWO_26 + (uint32() >>> 6)) / TWO_53,
    below: (bound) => {
      if (!Number.isInteger(bound) || bound < 1 || bound > TWO_32)
        throw new RangeError(`No whole number below ${bound}.`);
      // Numbers past the last whole multiple of the bound would favour the small ones.
      const limit = TWO_32 - (TWO_32 % bound);
      let drawn = uint32();
      while (drawn >= limit) drawn = uint32();
      return drawn % bound;
    },
  };
}

/** The numbers 0 … n - 1 in random order (Fisher, Yates). */
export function shuffledIndices(n: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, at) => at);
  for (let at = n - 1; at > 0; at--) {
    const other = random.below(at + 1);
    const kept = order[at]!;
    order[at] = order[other]!;
    order[other] = kept;
  }
  return order;
}
