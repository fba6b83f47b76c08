import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Bus, Clock, Log, RedisCommands } from '../../src/contracts.ts';
import { createFleet, type Fleet } from '../../src/fleet/fleet.ts';
import { createRedisDoor } from './redis-commands.ts';
import { createRecordingLog, type LogLine } from './silent-log.ts';

export interface StartFleetOptions {
  readonly url: string;
  /** Fleets with the same prefix are one installation. */
  readonly prefix: string;
  readonly pod?: string;
  readonly ttlMs?: number;
  readonly lingerMs?: number;
  readonly random?: () => number;
  readonly clock?: Clock;
}

export interface StartedFleet extends Omit<Fleet, 'start'> {
  readonly redis: RedisCommands;
  readonly clock: Clock;
  /** The bus of this fleet. */
  readonly bus: Bus;
  /** Topic and payload of everything that it sent. */
  readonly sent: (readonly [topic: string, payload: string])[];
  readonly log: Log;
  readonly lines: LogLine[];
  /** How often something failed to be counted as it should: renewals of the lease. */
  leaseFailures(): number;
  /** As SIGKILL does: nothing is given back, nothing is sent any more. */
  kill(): Promise<void>;
}

export function newPrefix(): string {
  return `sf-${randomBytes(4).toString('hex')}`;
}

/** Starts the fleet side of one server, with its own connections, and stops it after the test. */
export async function startFleet(options: StartFleetOptions): Promise<StartedFleet> {
  const log = createRecordingLog();
  const clock = options.clock ?? systemClock;
  const door = createRedisDoor(options.url, options.prefix);
  const sent: [string, string][] = [];
  const bus: Bus = {
    publish(topic, payload) {
      sent.push([topic, payload]);
      door.bus.publish(topic, payload);
    },
    subscribe: door.bus.subscribe,
  };
  let failures = 0;
  const metrics = { leaseFailed: () => void failures++, observe: () => undefined };
  const pod = options.pod ?? 'pod';
  const fleet = createFleet(
    {
      ...(options.ttlMs === undefined ? {} : { ttlMs: options.ttlMs }),
      lingerMs: options.lingerMs ?? 0,
    },
    {
      redis: door.commands,
      bus,
      clock,
      log,
      metrics,
      facts: () => ({ pod, address: `${pod}:9464`, connections: 1, maxConnections: 100, mode: 'sharded' }),
      ...(options.random === undefined ? {} : { random: options.random }),
    },
  );
  const stop = async () => {
    await fleet.stop();
    await door.stop();
  };
  onTestFinished(stop);
  await door.start();
  await fleet.start();
  return {
    ...fleet,
    redis: door.commands,
    clock,
    bus,
    sent,
    log,
    lines: log.lines,
    leaseFailures: () => failures,
    kill: door.stop,
    stop,
  };
}
