/** A stream of random numbers that is the same for the same seed, on every machine and in every process. */
export interface Random {
  /** 0 ≤ x < 1. */
  next(): number;
  /** from ≤ x < to. */
  between(from: number, to: number): number;
  /** A whole number, from ≤ x ≤ to. */
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  normal(mean: number, deviation: number): number;
  /** How often something happens that happens `mean` times on average. */
  poisson(mean: number): number;
  pick<T>(items: readonly T[]): T;
  /** By weights, which need not add up to 1. */
  weighted<T>(items: readonly (readonly [T, number])[]): T;
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand), set going by the three numbers given: each account draws each side of its life
 * from a stream of its own, so that a change in one moves no other.
 */
export function randomOf(seed: number, index: number, side: number): Random {
  let a = seed | 0;
  let b = index | 0;
  let c = side | 0;
  let counter = 1;
  const draw = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  // The first rounds still show the seed.
  for (let round = 0; round < 15; round += 1) draw();

  const between = (from: number, to: number): number => from + draw() * (to - from);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(draw() * items.length)] as T;
  return {
    next: draw,
    between,
    pick,
    whole: (from, to) => from + Math.floor(draw() * (to - from + 1)),
    chance: (probability) => draw() < probability,
    // Box and Muller; 1 - x keeps the logarithm away from 0.
    normal: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
    // Knuth's product of uniforms: means are small here.
    poisson(mean) {
      const limit = Math.exp(-mean);
      let count = 0;
      for (let product = draw(); product > limit; product *= draw()) count += 1;
      return count;
    },
    weighted<T>(items: readonly (readonly [T, number])[]): T {
      let rest = draw() * items.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [item, weight] of items) {
        rest -= weight;
        if (rest < 0) return item;
      }
      return (items.at(-1) as readonly [T, number])[0];
    },
  };
}
