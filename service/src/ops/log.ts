/** The root of the structured log: JSON lines, or readable ones in a terminal. Secrets are hidden here, once for all. */
import { type DestinationStream, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Log } from '../contracts.ts';
import { loggedError, REDACT } from './redaction.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty';
  readonly pod: string;
  /** Name of the worker in cluster mode. */
  readonly worker?: string;
}

/** A log that writes whole lines, synchronously, to `destination` (standard output unless given). */
export function createLog(options: LogOptions, destination?: DestinationStream): Log {
  const out = destination ?? pino.destination({ dest: 1, sync: true });
  const settings: LoggerOptions = {
    level: options.level,
    base: options.worker === undefined ? { pod: options.pod } : { pod: options.pod, worker: options.worker },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: REDACT,
    serializers: { err: loggedError, error: loggedError, reason: loggedError },
  };
  return pino(settings, options.format === 'json' ? out : readable(out));
}

/** Formats in this thread: a line that was logged is written when the call returns, even when the process ends next. */
function readable(out: DestinationStream): DestinationStream {
  const format = prettyFactory({ singleLine: true, ignore: 'pod' });
  return { write: (line) => out.write(format(line)) };
}
