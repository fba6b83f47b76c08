/** What we override in upstream's Redis adapters, and why: each fails when upstream has changed, and the reason may be gone. */
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Adapter, MessageType } from 'socket.io-adapter';
import { Encoder } from 'socket.io-parser';
import { describe, expect, it } from 'vitest';
import { turn } from './fake-client.ts';

interface Upstream extends Record<string, unknown> {
  broadcast(packet: object, opts: object): unknown;
  addSockets(opts: object, rooms: string[]): unknown;
  delSockets(opts: object, rooms: string[]): unknown;
  disconnectSockets(opts: object, close: boolean): unknown;
  addAll(id: string, rooms: Set<string>): unknown;
  doPublish(message: object): Promise<unknown>;
  doPublishResponse(to: string, message: object): Promise<unknown>;
  onRawMessage(bytes: Buffer, channel: Buffer): void;
  serverCount(): Promise<number>;
  close(): void;
}

const OPTS = () => ({ rooms: new Set<string>(), except: new Set<string>(), flags: {} });
const PACKET = () => ({ type: 2, data: ['news'] });

/** An upstream adapter over a Redis that takes everything and never answers, with one socket. */
function rig(kind: 'sharded' | 'classic') {
  const published: [string, unknown][] = [];
  const acts: string[] = [];
  const listeners: Record<string, (...args: unknown[]) => unknown> = {};
  const take = (channel: string, payload: unknown) => {
    published.push([channel, payload]);
    return new Promise(() => undefined);
  };
  const subscriber = {
    on: (event: string, listener: () => void) => Object.assign(listeners, { [event]: listener }),
    off: () => undefined,
    subscribe: () => undefined,
    psubscribe: () => undefined,
    ssubscribe: () => undefined,
    listenerCount: () => 2,
  };
  const publisher = {
    publish: take,
    spublish: take,
    on: () => undefined,
    off: () => undefined,
    send_command: (_command: string, _args: string[], done: (error: Error) => void) => done(new Error('away')),
  };
  const socket = {
    id: 's',
    join: () => void acts.push('join'),
    leave: () => void acts.push('leave'),
    disconnect: () => void acts.push('disconnect'),
    client: { writeToEngine: () => void acts.push('write') },
  };
  const nsp = {
    name: '/',
    server: { encoder: new Encoder(), opts: {} },
    sockets: new Map([['s', socket]]),
    _onServerSideEmit: () => undefined,
  };
  const create = (kind === 'sharded' ? createShardedAdapter : createAdapter) as unknown as (
    pub: unknown,
    sub: unknown,
    options: object,
  ) => (nsp: unknown) => Upstream;
  const adapter = create(publisher, subscriber, { requestsTimeout: 10 })(nsp);
  (Adapter.prototype.addAll as (this: unknown, id: string, rooms: Set<string>) => void).call(
    adapter,
    's',
    new Set(['s']),
  );
  return { adapter, published, acts, listeners };
}

describe('the sharded adapter of upstream', () => {
  it('numbers its messages as we do', () => {
    const { BROADCAST, SOCKETS_JOIN, SOCKETS_LEAVE, DISCONNECT_SOCKETS, BROADCAST_ACK } = MessageType;
    expect([BROADCAST, SOCKETS_JOIN, SOCKETS_LEAVE, DISCONNECT_SOCKETS, BROADCAST_ACK]).toEqual([3, 4, 5, 6, 12]);
  });

  it('waits for Redis before it acts on its own sockets', async () => {
    const { adapter, acts, published } = rig('sharded');
    void adapter.broadcast(PACKET(), OPTS());
    void adapter.addSockets(OPTS(), ['x']);
    void adapter.delSockets(OPTS(), ['x']);
    void adapter.disconnectSockets(OPTS(), true);
    await turn();
    expect([published.length, acts]).toEqual([4, []]);
  });

  it('takes what lacks its addressees for all, and throws at what lacks more', () => {
    const { adapter, acts } = rig('sharded');
    const hear = (message: object) =>
      adapter.onRawMessage(Buffer.from(JSON.stringify(message)), Buffer.from(String(adapter.channel)));
    hear({ uid: 'x', nsp: '/', type: 6, data: { opts: {}, close: true } });
    expect(acts).toEqual(['disconnect']);
    expect(() => hear({ nsp: '/', type: 3 })).toThrow();
  });

  it('has the parts that we call', () => {
    const { adapter } = rig('sharded');
    for (const name of ['publish', 'onMessage', 'onResponse', 'doPublish', 'doPublishResponse', 'onRawMessage']) {
      expect([name, typeof adapter[name]]).toEqual([name, 'function']);
    }
    expect([typeof adapter.uid, typeof adapter.responseChannel]).toEqual(['string', 'string']);
  });

  it('throws at data that cannot be encoded, where nobody catches it', () => {
    const { adapter } = rig('sharded');
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const message = { type: 9, data: { packet: ['task', circle] } };
    expect(() => adapter.doPublish(message)).toThrow();
    expect(() => adapter.doPublishResponse('x', message)).toThrow();
  });

  it('does not tell when a room is subscribed to', () => {
    expect(rig('sharded').adapter.addAll('s', new Set(['x']))).toBe(undefined);
  });

  it('rejects a count of servers without Redis', async () => {
    await expect(rig('sharded').adapter.serverCount()).rejects.toThrow('away');
  });
});

describe('the classic adapter of upstream', () => {
  it('acts on its own sockets only when its request comes back from Redis', async () => {
    const { adapter, acts, published, listeners } = rig('classic');
    void adapter.addSockets(OPTS(), ['x']);
    void adapter.delSockets(OPTS(), ['x']);
    void adapter.disconnectSockets(OPTS(), true);
    await turn();
    expect([acts, published.length]).toEqual([[], 3]);
    for (const [channel, payload] of published) {
      const request = Buffer.from(String(payload));
      expect(JSON.parse(String(request))).toMatchObject({ uid: adapter.uid, type: expect.any(Number) });
      await listeners.messageBuffer?.(Buffer.from(channel), request);
    }
    expect(acts).toEqual(['join', 'leave', 'disconnect']);
  });

  it('throws at broadcasts that it cannot read, where it hears them', () => {
    const { adapter, listeners } = rig('classic');
    const hear = (bytes: Buffer) => listeners.pmessageBuffer?.('', Buffer.from(String(adapter.channel)), bytes);
    expect(() => hear(Buffer.from('garbage'))).toThrow();
    expect(() => hear(Buffer.from([5]))).toThrow();
  });

  it('rejects a count of servers without Redis', async () => {
    await expect(rig('classic').adapter.serverCount()).rejects.toThrow('away');
  });
});
