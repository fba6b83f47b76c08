/** One raw Engine.IO session, the same over both transports. */
import { eventually } from './eventually.ts';
import { type Frame, type Handshake, openEngine, openPolling } from './raw.ts';

export const TRANSPORTS = ['polling', 'websocket'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

export interface RawSession {
  readonly handshake: Handshake;
  /** Sends packets together: in one body, or one frame each. Binary goes as base64 or as it is. */
  send(...packets: Frame[]): Promise<void>;
  /** The next packet that is no ping; pings are answered meanwhile. */
  receive(): Promise<Frame>;
  /** The next packet, pings included, none answered. */
  receiveAny(): Promise<Frame>;
  /** Resolves once the server no longer knows this session. */
  ended(): Promise<void>;
}

export async function openSession(url: string, transport: TransportName): Promise<RawSession> {
  return transport === 'polling' ? overPolling(url) : overWebSocket(url);
}

/** A session that has joined a namespace; what the server answered to CONNECT has been read. */
export async function openJoined(
  url: string,
  transport: TransportName,
  nsp = '/',
): Promise<RawSession & { readonly answer: string }> {
  const session = await openSession(url, transport);
  await session.send(nsp === '/' ? '40' : `40${nsp},`);
  return { ...session, answer: String(await session.receive()) };
}

async function overPolling(url: string): Promise<RawSession> {
  const session = await openPolling(url);
  const ready: string[] = [];
  async function receiveAny(): Promise<Frame> {
    if (ready.length === 0) ready.push(...(await session.poll()));
    const packet = ready.shift() ?? '';
    return packet.startsWith('b') ? Buffer.from(packet.slice(1), 'base64') : packet;
  }
  return {
    handshake: session.handshake,
    async send(...packets) {
      const texts = packets.map((packet) => (typeof packet === 'string' ? packet : `b${packet.toString('base64')}`));
      await session.post(texts.join('\x1e'));
    },
    receiveAny,
    async receive() {
      for (;;) {
        const packet = await receiveAny();
        if (packet !== '2') return packet;
        await session.post('3');
      }
    },
    async ended() {
      await eventually(
        async () => (await session.request()).body.includes('Session ID unknown'),
        'the end of the session',
      );
    },
  };
}

async function overWebSocket(url: string): Promise<RawSession> {
  const session = await openEngine(url);
  return {
    handshake: session.handshake,
    async send(...packets) {
      for (const packet of packets) session.send(packet);
    },
    receiveAny: session.next,
    receive: session.packet,
    async ended() {
      await session.closed;
    },
  };
}
