import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { atTestEnd } from './at-test-end.ts';
import { stablePorts } from './stable-ports.ts';

export interface ProxyStats {
  /** Connections that were ever accepted. */
  readonly accepted: number;
  readonly open: number;
  /** Bytes passed on to the target, and back from it. */
  readonly sent: number;
  readonly received: number;
}

export interface StartedProxy {
  readonly port: number;
  /** `redis://` to this port. */
  readonly url: string;
  /** Resets every connection and takes new ones: a proxy or a NAT that forgot. */
  reset(): void;
  /** Resets every connection and refuses new ones, until `heal`. */
  cut(): void;
  /** Passes nothing on any more, in both directions, but keeps connections open and takes new ones, until `heal`: a dead machine or a dropped NAT entry. */
  hang(): void;
  /** As it was at first, with the delay; what hung arrives now. */
  heal(): Promise<void>;
  /** Each byte from now on arrives `ms` later, in either direction. */
  delay(ms: number): void;
  stats(): ProxyStats;
  /** Ends it for good. Comes by itself after the test in which it was started. */
  stop(): Promise<void>;
}

/** One network path, between one client process and `targetPort` of the loopback, that a test can break. */
export async function startProxy(targetPort: number): Promise<StartedProxy> {
  const [port = 0] = await stablePorts(1);
  const sockets = new Set<Socket>();
  const state = { isHanging: false, delayMs: 0, accepted: 0, sent: 0, received: 0 };
  let listener: Server | undefined;
  const turns = new EventEmitter().setMaxListeners(0);
  const path = {
    delayMs: () => state.delayMs,
    gate: () => (state.isHanging ? once(turns, 'heal') : undefined),
  };

  function track(socket: Socket, peer: Socket, onBytes: (count: number) => void): void {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => follow(() => peer.resetAndDestroy()));
    socket.on('close', () => {
      sockets.delete(socket);
      follow(() => peer.destroy());
    });
    pump(socket, peer, { ...path, onBytes });
    if (state.isHanging) socket.pause();
  }
  // Over a path that hangs nobody hears that the other side is gone.
  function follow(how: () => void): void {
    const gate = path.gate();
    if (gate) void gate.then(how);
    else how();
  }
  function accept(client: Socket): void {
    state.accepted++;
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    track(client, target, (count) => {
      state.sent += count;
    });
    track(target, client, (count) => {
      state.received += count;
    });
  }
  function listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, accept);
    listener = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve());
    });
  }
  function reset(): void {
    for (const socket of sockets) socket.resetAndDestroy();
  }
  function cut(): void {
    listener?.close();
    listener = undefined;
    reset();
  }

  await listen();
  const stop = async () => cut();
  atTestEnd(stop);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    reset,
    cut,
    hang() {
      state.isHanging = true;
      for (const socket of sockets) socket.pause();
    },
    async heal() {
      state.isHanging = false;
      turns.emit('heal');
      for (const socket of sockets) socket.resume();
      if (!listener) await listen();
    },
    delay(ms) {
      state.delayMs = ms;
    },
    stats: () => ({
      accepted: state.accepted,
      open: Math.ceil(sockets.size / 2),
      sent: state.sent,
      received: state.received,
    }),
    stop,
  };
}

interface Path {
  delayMs(): number;
  /** Resolves when bytes may pass again; undefined while they may. */
  gate(): Promise<unknown> | undefined;
  onBytes(count: number): void;
}

/** Passes bytes on in order, and the end after them; what the receiver does not take stays with the sender. */
function pump(from: Socket, to: Socket, path: Path): void {
  let tail: Promise<void> | undefined;
  function pass(chunk: Buffer | undefined): void {
    if (chunk === undefined) {
      to.end();
      return;
    }
    path.onBytes(chunk.length);
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => {
      if (!path.gate()) from.resume();
    });
  }
  async function passAt(due: number, chunk: Buffer | undefined, before: Promise<void> | undefined): Promise<void> {
    await before;
    const rest = due - performance.now();
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    await path.gate();
    pass(chunk);
  }
  function take(chunk: Buffer | undefined): void {
    const delayMs = path.delayMs();
    if (!tail && delayMs === 0 && !path.gate()) {
      pass(chunk);
      return;
    }
    const mine = passAt(performance.now() + delayMs, chunk, tail);
    tail = mine;
    void mine.then(() => {
      if (tail === mine) tail = undefined;
    });
  }
  from.on('data', (chunk: Buffer) => take(chunk));
  from.on('end', () => take(undefined));
}
