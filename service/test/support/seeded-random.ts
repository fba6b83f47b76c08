/** Numbers from 0 to below 1 that are the same for the same seed (a linear congruential generator, Park and Miller's constants). */
export function seededRandom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
}
