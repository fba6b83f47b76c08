/** Where progress goes; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Tells a person how far a long run is. */
export interface Progress {
  /** Replaces the line on a terminal, writes another one elsewhere. */
  say(text: string): void;
  /** Takes the line away from a terminal. */
  done(): void;
}

/** Progress on a stream. `seconds` tells how long the run has taken so far. */
export function createProgress(stream: ProgressStream, seconds: () => number): Progress {
  const stamp = () => `${seconds().toFixed(0).padStart(4)} s  `;
  if (stream.isTTY !== true) return { say: (text) => void stream.write(`${stamp()}${text}\n`), done: () => undefined };
  return {
    say: (text) => void stream.write(`\r\u001b[2K${`${stamp()}${text}`.slice(0, (stream.columns || 80) - 1)}`),
    done: () => void stream.write('\r\u001b[2K'),
  };
}
