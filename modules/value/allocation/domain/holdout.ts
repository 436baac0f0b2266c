import { createRandom, shuffledIndices } from '../../../../src/learning/random.ts';

/**
 * Who of the picked customers is held out: each with the same probability, the same ones for the same seed and order.
 * @param strata of each customer; every stratum gives its share to within one customer
 * @param share in [0, 1)
 */
export function holdOut(strata: readonly number[], share: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const shuffled = shuffledIndices(strata.length, random);
  // Stratum by stratum, in random order within each: every 1/share-th from a random start (systematic sampling).
  const order = shuffled.sort((a, b) => (strata[a] as number) - (strata[b] as number));
  const start = random.unit();
  const held = new Uint8Array(strata.length);
  for (const [place, customer] of order.entries()) {
    if (Math.floor((place + 1) * share + start) > Math.floor(place * share + start)) held[customer] = 1;
  }
  return held;
}
