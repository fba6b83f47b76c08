/** Waits until `probe` returns something truthy (or stops throwing), asking every 10 ms. Rejects with the last problem after `ms`. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  what = 'the condition',
  ms = 5_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + ms;
  let problem: unknown;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${what} did not come within ${ms} ms`, { cause: problem });
}
