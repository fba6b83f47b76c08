import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type {
  Answer,
  Check,
  Directory,
  Gauges,
  Member,
  PublishRequest,
  PublishResult,
  SocketView,
} from '../../src/contracts.ts';
import { createOps, type OpsDeps, type OpsOptions } from '../../src/ops/ops.ts';
import { createRecordingLog } from '../support/silent-log.ts';
import { expectDocumented } from './ops-schema.ts';

export const KEY = 'api-key-0123456789abcdef';

/** Everything the internal port is given, as a test may change it while the port runs. */
export interface World {
  phase: string;
  isReady: boolean;
  keys: readonly string[];
  checks: Check[];
  rooms: Answer<readonly { room: string; sockets: number }[]>;
  members: Record<string, readonly Member[]>;
  sockets: Record<string, SocketView>;
  partial: boolean;
  publish(request: PublishRequest): Promise<PublishResult>;
  metricsText(): Promise<string>;
  beforeShutdown(): Promise<void>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Starts the internal port over fakes, on a free port of the loopback, and stops it after the test. */
export async function startOps(options: Partial<OpsOptions> = {}, given: Partial<World> = {}) {
  const published: PublishRequest[] = [];
  const told: string[] = [];
  const counted: string[] = [];
  const gauges: Gauges = {};
  const log = createRecordingLog();
  const world: World = {
    phase: 'ready',
    isReady: true,
    keys: [KEY],
    checks: [],
    rooms: { value: [], partial: false },
    members: {},
    sockets: {},
    partial: false,
    publish: async (request) => ({ id: request.id ?? `m-${published.length}`, duplicate: false }),
    metricsText: async () => 'socketfleet_up 1\n',
    beforeShutdown: async () => undefined,
    ...given,
  };
  const deps = { ...portsOf(world, { published, told, counted, gauges }), log };
  const ops = createOps(
    { host: '127.0.0.1', port: 0, pod: 'pod-1', version: '1.2.3', apiMaxBodyBytes: 10_000, signals: false, ...options },
    deps,
  );
  await ops.start();
  onTestFinished(() => ops.stop());
  const url = ops.url() ?? '';
  return { ...callers(url), ops, url, world, published, told, counted, gauges, lines: log.lines };
}

interface Records {
  readonly published: PublishRequest[];
  readonly told: string[];
  readonly counted: string[];
  readonly gauges: Gauges;
}

function portsOf(world: World, records: Records): Omit<OpsDeps, 'log'> {
  return {
    clock: systemClock,
    phase: { isReady: () => world.isReady, name: () => world.phase },
    checks: world.checks,
    metricsText: () => world.metricsText(),
    metricsContentType: 'text/plain; version=0.0.4; charset=utf-8',
    metrics: {
      apiRequest: (route, status) => void records.counted.push(`${route} ${status}`),
      published: (source, outcome) => void records.counted.push(`${source} ${outcome}`),
      observe: (more) => void Object.assign(records.gauges, more),
    },
    apiKeys: () => world.keys,
    publisher: {
      publish(request) {
        records.published.push(request);
        return world.publish(request);
      },
    },
    directory: directoryOf(world, records.told),
    presence: {
      count: async (room) => world.members[room]?.length ?? 0,
      members: async (room, limit) => (world.members[room] ?? []).slice(0, limit),
    },
    drain: () => void records.told.push('drain'),
    beforeShutdown: () => world.beforeShutdown(),
  };
}

function directoryOf(world: World, told: string[]): Directory {
  const tell = async (order: string) => {
    told.push(order);
    return { value: 1, partial: world.partial };
  };
  return {
    rooms: async () => world.rooms,
    room: async (room) => ({
      value: world.rooms.value.find((one) => one.room === room) ?? { room, sockets: 0 },
      partial: world.partial,
    }),
    socket: async (id) => ({ value: world.sockets[id], partial: world.partial }),
    disconnectSocket: (id) => tell(`socket ${id}`),
    disconnectUser: (sub) => tell(`user ${sub}`),
  };
}

function callers(url: string) {
  /** One request; what comes back must be described in openapi.yaml. */
  async function call(method: string, path: string, init: RequestInit = {}): Promise<Answered> {
    const response = await fetch(url + path, {
      method,
      ...init,
      headers: { authorization: `Bearer ${KEY}`, ...(init.headers as Record<string, string>) },
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    const body = (isJson && text !== '' ? JSON.parse(text) : { text }) as Record<string, unknown>;
    if (isJson && method !== 'HEAD') expectDocumented({ method, path, status: response.status, body });
    return { status: response.status, headers: response.headers, body };
  }
  return {
    call,
    get: (path: string, init?: RequestInit) => call('GET', path, init),
    /** Posts a value as JSON, or a string as it is. */
    post: (path: string, body?: unknown, headers: Record<string, string> = {}) =>
      call('POST', path, {
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  };
}
