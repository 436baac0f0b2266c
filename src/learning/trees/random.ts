/** Seeded numbers that depend on nothing but their arguments, so that any thread may ask for any of them. */

/** Mixes 32 bits so that each output bit depends on all of them (the finaliser of MurmurHash3, Appleby). */
function mix(bits: number): number {
  let mixed = bits | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The key of one stream of numbers, e.g. of one tree. */
export function streamOf(seed: number, stream: number): number {
  return mix(mix(seed) + Math.imul(stream + 1, 0x9e3779b9));
}

/** The `index`-th number of a stream, a whole number from 0 to 2^32 - 1. */
export function randomOf(stream: number, index: number): number {
  return mix(stream ^ mix(index + 0x7f4a7c15));
}

/** `count` different whole numbers below `total`, ascending. */
export function sampleOf(stream: number, total: number, count: number): number[] {
  const numbers = Array.from({ length: total }, (_, index) => index);
  for (let index = 0; index < count; index++) {
    const other = index + (randomOf(stream, index) % (total - index));
    const kept = numbers[index]!;
    numbers[index] = numbers[other]!;
    numbers[other] = kept;
  }
  return numbers.slice(0, count).sort((a, b) => a - b);
}
