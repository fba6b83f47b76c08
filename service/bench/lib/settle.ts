/** What to read and when to call it settled. */
export interface Settling {
  read(): Promise<number>;
  /** Resolves when the next reading is due. */
  pause(): Promise<void>;
  /** Readings in a row that have to agree. */
  readonly readings: number;
  /** Largest difference among them, as a share of their mean. */
  readonly tolerance: number;
  /** Readings after which the last one counts even if it has not settled. */
  readonly most: number;
}

/** The last reading, and whether it had settled. */
export interface Settled {
  readonly value: number;
  readonly settled: boolean;
}

/** Reads until several readings in a row agree. */
export async function settle({ read, pause, readings, tolerance, most }: Settling): Promise<Settled> {
  const recent: number[] = [];
  for (let count = 1; ; count++) {
    const value = await read();
    recent.push(value);
    if (recent.length > readings) recent.shift();
    const mean = recent.reduce((sum, reading) => sum + reading, 0) / recent.length;
    const settled = recent.length === readings && Math.max(...recent) - Math.min(...recent) <= tolerance * mean;
    if (settled || count >= most) return { value, settled };
    await pause();
  }
}
