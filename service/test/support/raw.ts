/** Engine.IO and Socket.IO by hand, so that a test can send what no client library would. Every connection ends with its test. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type Socket as TcpSocket, connect as tcpConnect } from 'node:net';
import { onTestFinished } from 'vitest';
import { type ClientOptions, type RawData, WebSocket } from 'ws';

const SOCKET_IO = '/socket.io/';
/** Separates the packets of one polling body. */
export const RECORD = '\x1e';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface RawRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
}

/** One HTTP request on a connection of its own. Unlike fetch it sends any method and header. */
export function http(url: string, options: RawRequest = {}): Promise<RawAnswer> {
  const { method = 'GET', headers = {}, body, signal } = options;
  return new Promise((resolve, reject) => {
    const length: Record<string, number> = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = httpRequest(url, {
      method,
      headers: { ...length, ...headers },
      agent: false,
      ...(signal ? { signal } : {}),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    onTestFinished(() => void request.destroy());
    request.end(body);
  });
}

/** The address of an Engine.IO endpoint: `url` may carry a path, `/socket.io/` otherwise. */
export function engineUrl(url: string, query: Record<string, string>): string {
  const target = new URL(url);
  if (target.pathname === '/') target.pathname = SOCKET_IO;
  target.search = new URLSearchParams(query).toString();
  return target.href;
}

export interface Handshake {
  readonly sid: string;
  readonly upgrades: string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly maxPayload: number;
}

export interface PollingSession {
  readonly handshake: Handshake;
  readonly sid: string;
  /** The packets of one GET. Rejects when the answer is not 200. */
  poll(): Promise<string[]>;
  /** Polls until `count` packets other than pings have come; answers pings on the way. */
  packets(count: number): Promise<string[]>;
  post(body: string): Promise<RawAnswer>;
  /** Any request for this session. */
  request(options?: RawRequest, query?: Record<string, string>): Promise<RawAnswer>;
}

/** Opens a session over HTTP. Rejects with the answer when it is refused. */
export async function openPolling(url: string, headers: Record<string, string> = {}): Promise<PollingSession> {
  const query = { EIO: '4', transport: 'polling' };
  const answer = await http(engineUrl(url, query), { headers });
  if (answer.status !== 200) throw new Error(`handshake refused: ${answer.status} ${answer.body}`);
  const handshake = JSON.parse(answer.body.slice(1)) as Handshake;
  const request: PollingSession['request'] = (options = {}, more = {}) =>
    http(engineUrl(url, { ...query, sid: handshake.sid, ...more }), options);
  const post = (body: string) => request({ method: 'POST', headers: { 'content-type': 'text/plain' }, body });
  const poll = async () => {
    const { status, body } = await request();
    if (status !== 200) throw new Error(`poll refused: ${status} ${body}`);
    return body.split(RECORD);
  };
  return {
    handshake,
    sid: handshake.sid,
    poll,
    async packets(count) {
      const seen: string[] = [];
      while (seen.length < count) {
        const packets = await poll();
        if (packets.includes('2')) await post('3');
        seen.push(...packets.filter((packet) => packet !== '2'));
      }
      return seen;
    },
    post,
    request,
  };
}

/** What a WebSocket brought: text as a string, binary as a Buffer. */
export type Frame = string | Buffer;

export interface RawWebSocket {
  readonly ws: WebSocket;
  send(frame: Frame): void;
  /** The next frame, in order. Rejects when the connection has closed, or after 5 s. */
  next(): Promise<Frame>;
  /** The next frame that is no ping; pings are answered. */
  packet(): Promise<Frame>;
  /** Resolves when the connection is closed, with the close code and reason. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Reads nothing more from the network, as a client that hangs. */
  pause(): void;
}

/** Opens a WebSocket on an address. Rejects with the status when it is refused. */
export async function openWebSocket(address: string, options: ClientOptions = {}): Promise<RawWebSocket> {
  const ws = new WebSocket(address.replace(/^http/, 'ws'), { perMessageDeflate: false, ...options });
  onTestFinished(() => ws.terminate());
  const frames: Frame[] = [];
  const waiting: ((frame: Frame | undefined) => void)[] = [];
  let isClosed = false;
  ws.on('message', (data: RawData, isBinary: boolean) => {
    const frame = isBinary ? (data as Buffer) : data.toString();
    const waiter = waiting.shift();
    if (waiter) waiter(frame);
    else frames.push(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.once('close', (code, reason) => {
      isClosed = true;
      for (const waiter of waiting.splice(0)) waiter(undefined);
      resolve({ code, reason: reason.toString() });
    });
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    // Stays, because a connection that is cut later reports an error as well.
    ws.on('error', reject);
  });

  async function next(): Promise<Frame> {
    const ready = frames.shift();
    if (ready !== undefined) return ready;
    if (isClosed) throw new Error('the connection is closed');
    const frame = await new Promise<Frame | undefined>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no frame within 5 s')), 5_000);
      waiting.push((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
    if (frame === undefined) throw new Error('the connection closed');
    return frame;
  }
  return {
    ws,
    send: (frame) => ws.send(frame),
    next,
    async packet() {
      for (;;) {
        const frame = await next();
        if (frame !== '2') return frame;
        ws.send('3');
      }
    },
    closed,
    pause: () => ws.pause(),
  };
}

/** Opens a session over WebSocket; the open packet has been read. */
export async function openEngine(
  url: string,
  options: ClientOptions = {},
): Promise<RawWebSocket & { readonly handshake: Handshake }> {
  const socket = await openWebSocket(engineUrl(url, { EIO: '4', transport: 'websocket' }), options);
  const open = String(await socket.next());
  return { ...socket, handshake: JSON.parse(open.slice(1)) as Handshake };
}

/** Opens a session over WebSocket and joins a namespace; resolves with what the server answered to CONNECT. */
export async function openSocket(
  url: string,
  { nsp = '/', auth }: { nsp?: string; auth?: object } = {},
): Promise<RawWebSocket & { readonly answer: string }> {
  const socket = await openEngine(url);
  socket.send(`40${nsp === '/' ? '' : `${nsp},`}${auth === undefined ? '' : JSON.stringify(auth)}`);
  const answer = String(await socket.packet());
  return { ...socket, answer };
}

export interface RawTcp {
  readonly socket: TcpSocket;
  write(text: string | Buffer): void;
  /** Everything read so far. */
  text(): string;
  /** Resolves when the other side has ended the connection or broken it. */
  readonly ended: Promise<void>;
}

/** A bare TCP connection to the server behind `url`. */
export async function openTcp(url: string): Promise<RawTcp> {
  const { hostname, port } = new URL(url);
  const socket = tcpConnect({ host: hostname, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  const ended = new Promise<void>((resolve) => {
    socket.once('end', resolve);
    socket.once('close', () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    // Stays: a reset is one of the ways in which a server ends a connection.
    socket.on('error', reject);
  });
  return { socket, write: (data) => void socket.write(data), text: () => text, ended };
}
