import { io, type Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

export interface Crowd {
  readonly clients: readonly Socket[];
  /** When each client lost its connection, in milliseconds since `watch`, with the reason it was given. */
  readonly departures: { at: number; reason: string; client: number }[];
  connected(): number;
}

/** Connects `count` stock clients and waits until all are connected; every third polls only, every third upgrades, the rest are WebSocket only. */
export async function connectCrowd(
  url: string,
  count: number,
  transports?: ('polling' | 'websocket')[],
): Promise<Crowd> {
  const departures: Crowd['departures'] = [];
  const kinds: ('polling' | 'websocket')[][] = transports
    ? [transports]
    : [['polling'], ['polling', 'websocket'], ['websocket']];
  const start = performance.now();
  const clients = Array.from({ length: count }, (_, i) => {
    const socket = io(url, {
      forceNew: true,
      transports: kinds[i % kinds.length] ?? ['websocket'],
      reconnectionDelay: 200,
      reconnectionDelayMax: 1000,
    });
    socket.on('disconnect', (reason) => departures.push({ at: performance.now() - start, reason, client: i }));
    return socket;
  });
  onTestFinished(() => {
    for (const socket of clients) socket.disconnect();
  });
  const connected = () => clients.filter((socket) => socket.connected).length;
  await eventually(() => connected() === count, `${count} connected clients`, 20_000);
  return { clients, departures, connected };
}
