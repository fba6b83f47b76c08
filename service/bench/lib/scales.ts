import type { Scale } from './suite.ts';

/** What the published figures are measured with. */
export const FULL: Scale = {
  rounds: 5,
  concurrency: 50,
  payloadBytes: 64,
  delivery: {
    clients: 1_000,
    warmUpTurns: 40,
    loads: [
      { events: 1, turns: 300 },
      { events: 10, turns: 80 },
    ],
  },
  memory: { warmUpClients: 100, clients: 5_000, readingEveryMs: 500 },
  connect: { warmUpClients: 1_000, clients: 2_000 },
  redis: {
    perSecond: 1_000,
    warmUp: 2_000,
    latency: { messages: 10_000 },
    bystander: { messages: 5_000, idleMs: 2_000, servers: [2, 4, 8] },
    publish: { inFlight: 1_000, warmUpTurns: 10, turns: 40 },
  },
};

/** Shows that everything works; its figures mean little. */
export const QUICK: Scale = {
  rounds: 2,
  concurrency: 20,
  payloadBytes: 64,
  delivery: {
    clients: 100,
    warmUpTurns: 10,
    loads: [
      { events: 1, turns: 50 },
      { events: 10, turns: 20 },
    ],
  },
  memory: { warmUpClients: 20, clients: 300, readingEveryMs: 100 },
  connect: { warmUpClients: 50, clients: 100 },
  redis: {
    perSecond: 1_000,
    warmUp: 200,
    latency: { messages: 500 },
    bystander: { messages: 500, idleMs: 200, servers: [2, 4] },
    publish: { inFlight: 200, warmUpTurns: 10, turns: 20 },
  },
};
