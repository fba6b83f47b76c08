/** The process of clients: connects them, counts what they receive, answers pings. */

import type { ConnectOrder, Expectation, SwarmCalls } from '../lib/calls.ts';
import { notifyParent, serveCalls } from '../lib/channel.ts';
import { nowUs, stampOf } from '../lib/stamp.ts';
import { createTally, type Tally } from '../lib/tally.ts';
import type { ClientEvents, SwarmClient } from './client.ts';
import { connectUpgrade } from './upgrade-client.ts';
import { connectWebSocket } from './websocket-client.ts';

const ROUTES = { websocket: connectWebSocket, upgrade: connectUpgrade };

// Time for a doubled message to show up after everything has arrived.
const QUIET_MS = 50;

function createSwarm() {
  let clients: SwarmClient[] = [];
  let lost = 0;
  let order: Expectation = { turns: 0, events: 0, bytes: 0, first: 0 };
  let tally: Tally = createTally(0, order);
  let target = Number.POSITIVE_INFINITY;
  let latencies: number[][] | undefined;

  const eventsOf = (place: number): ClientEvents => ({
    onEvent(frame) {
      latencies?.[place]?.push(nowUs() - stampOf(frame));
      tally.take(place, frame);
      if (tally.delivered < target) return;
      target += clients.length * order.events;
      notifyParent('turn');
    },
    onLost: () => void lost++,
  });

  function begin(next: Expectation): null {
    order = next;
    tally = createTally(clients.length, order);
    target = clients.length * order.events;
    return null;
  }

  return {
    async connect({ url, route, clients: wanted, concurrency }: ConnectOrder) {
      const begin = performance.now();
      const from = clients.length;
      let next = from;
      const lane = async () => {
        while (next < from + wanted) {
          const place = next++;
          clients[place] = await ROUTES[route](url, eventsOf(place));
        }
      };
      await Promise.all(Array.from({ length: concurrency }, lane));
      return { wallMs: performance.now() - begin };
    },
    expect(next: Expectation) {
      latencies = undefined;
      return begin(next);
    },
    expectTimed(next: Expectation) {
      latencies = clients.map(() => []);
      return begin(next);
    },
    latencies: () => latencies ?? [],
    async verdict() {
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      return tally.verdict(order.turns * order.events);
    },
    lost: () => lost,
    closeAll() {
      for (const client of clients) client.close();
      clients = [];
      tally = createTally(0, order);
      return null;
    },
  };
}

serveCalls<SwarmCalls>(createSwarm(), () => undefined);
