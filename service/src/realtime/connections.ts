/** What every connection is subject to: rates of what it sends, a bound on what it leaves unread, and the ways to close it. */
import type { Socket as EngineSocket } from 'engine.io';
import type { WebSocket } from 'ws';
import type { Cancel, Clock, Metrics } from '../contracts.ts';
import { REFUSALS, type RefusalCode } from '../refusals.ts';
import { type Bucket, refill } from './token-bucket.ts';
import type { UnreadResponses } from './unread-responses.ts';
import { bufferedBytes, bytesRead, isTooLarge, sidOf, sizeOf, webSocketOf } from './upstream.ts';

export interface ConnectionLimits {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly slowReaderSoftBytes: number;
  readonly slowReaderHardBytes: number;
}

export interface ConnectionsDeps {
  readonly clock: Clock;
  readonly metrics: Pick<
    Metrics,
    'connectionOpened' | 'connectionUpgraded' | 'connectionClosed' | 'received' | 'refused'
  >;
  /** What polling clients have been sent and have not read is unsent as well. */
  readonly responses: UnreadResponses;
}

export interface Connections {
  /** Watches a connection until it closes. */
  add(connection: EngineSocket): void;
  all(): Iterable<EngineSocket>;
  count(): number;
  /** False when this connection has used up its messages for now. */
  maySpeak(connection: EngineSocket): boolean;
  /** Closes the transport with a reason from the table; a stock client comes back by itself. */
  close(connection: EngineSocket, code: RefusalCode): void;
  bufferedBytes(): number;
  slowReaders(): number;
  /** Begins to look for slow readers; the result ends it. */
  watch(): Cancel;
}

interface Entry {
  transport: string;
  readonly messages: Bucket;
  readonly bytes: Bucket;
  /** Of a WebSocket: how much of what it has read is charged. */
  charged: number;
  closedBy?: RefusalCode;
}

// Burst: this many seconds' worth at once.
const BURST_SECONDS = 2;
// A client that goes on although its events are refused is closed at this many bursts of debt.
const FLOOD_BURSTS = 5;
// One that goes on after it was told to go is cut at this many: it need not be read for as long as a closing may take.
const DEAF_BURSTS = 50;
const SWEEP_MS = 1000;

export function createConnections(limits: ConnectionLimits, deps: ConnectionsDeps): Connections {
  const { clock, metrics } = deps;
  const entries = new Map<EngineSocket, Entry>();
  const owners = new WeakMap<WebSocket, EngineSocket>();
  let buffered = 0;
  let slow = 0;

  function close(connection: EngineSocket, code: RefusalCode): void {
    const entry = entries.get(connection);
    if (entry === undefined || entry.closedBy !== undefined) return;
    entry.closedBy = code;
    metrics.refused(code);
    closeTransport(connection, code);
  }

  /** Takes what came, in messages and bytes; a WebSocket's bytes are those of the network, whatever frames they make. */
  function charge(connection: EngineSocket, came: { readonly messages: number; readonly bytes: number }): void {
    const entry = entries.get(connection);
    if (entry === undefined) return;
    const read = bytesRead(connection);
    spend(entry.bytes, read === 0 ? came.bytes : read - entry.charged, limits.bytesPerSecond);
    spend(entry.messages, came.messages, limits.messagesPerSecond);
    entry.charged = read;
    const bytes = debt(entry.bytes, limits.bytesPerSecond);
    const messages = debt(entry.messages, limits.messagesPerSecond);
    if (bytes > 0 || messages > FLOOD_BURSTS) close(connection, 'rate_limited');
    if (entry.closedBy !== undefined && (bytes > DEAF_BURSTS || messages > DEAF_BURSTS)) cut(connection);
  }

  function spend(bucket: Bucket, amount: number, perSecond: number): void {
    if (perSecond === 0) return;
    refill(bucket, clock.now(), perSecond, perSecond * BURST_SECONDS);
    bucket.tokens -= amount;
  }

  // Every packet counts, or a flood of pongs would go unseen.
  function onPacket(this: EngineSocket, { type, data }: { type: string; data?: unknown }): void {
    const bytes = sizeOf(data);
    if (type === 'message') metrics.received(bytes);
    charge(this, { messages: 1, bytes });
  }

  // A ping or pong of WebSocket itself, of which Engine.IO knows nothing.
  function onControl(this: WebSocket): void {
    const connection = owners.get(this);
    if (connection !== undefined) charge(connection, { messages: 1, bytes: 0 });
  }

  function hearControlFrames(connection: EngineSocket): void {
    const webSocket = webSocketOf(connection);
    if (webSocket === undefined) return;
    owners.set(webSocket, connection);
    webSocket.on('ping', onControl);
    webSocket.on('pong', onControl);
  }

  function onUpgrade(this: EngineSocket): void {
    const entry = entries.get(this);
    if (entry === undefined) return;
    entry.transport = 'websocket';
    entry.charged = bytesRead(this);
    hearControlFrames(this);
    metrics.connectionUpgraded();
  }

  function onClose(this: EngineSocket, reason: string, description?: unknown): void {
    const entry = entries.get(this);
    if (entry === undefined) return;
    entries.delete(this);
    const isLarge = isTooLarge(description);
    if (isLarge) metrics.refused('too_large');
    metrics.connectionClosed(entry.transport, entry.closedBy ?? (isLarge ? 'too_large' : reason));
  }

  function sweep(): void {
    const unread = deps.responses.sweep();
    buffered = 0;
    for (const bytes of unread.values()) buffered += bytes;
    slow = 0;
    for (const connection of entries.keys()) {
      // Frames that make no message yet.
      charge(connection, { messages: 0, bytes: 0 });
      const queued = bufferedBytes(connection);
      const bytes = queued + (unread.get(sidOf(connection)) ?? 0);
      if (bytes === 0) continue;
      buffered += queued;
      if (bytes > limits.slowReaderSoftBytes) slow++;
      if (bytes > limits.slowReaderHardBytes) {
        close(connection, 'slow_reader');
        // It does not read, so a close frame would wait behind everything else.
        cut(connection);
        deps.responses.cut(sidOf(connection));
      }
    }
  }

  return {
    add(connection) {
      const now = clock.now();
      const transport = connection.transport.name;
      entries.set(connection, {
        transport,
        messages: { tokens: limits.messagesPerSecond * BURST_SECONDS, at: now },
        bytes: { tokens: limits.bytesPerSecond * BURST_SECONDS, at: now },
        charged: bytesRead(connection),
      });
      hearControlFrames(connection);
      metrics.connectionOpened(transport);
      connection.on('packet', onPacket);
      connection.once('upgrade', onUpgrade);
      connection.once('close', onClose);
    },
    all: () => entries.keys(),
    count: () => entries.size,
    maySpeak(connection) {
      const entry = entries.get(connection);
      if (entry === undefined) return true;
      // Once it has been told to go it is not heard, however long it takes.
      if (entry.closedBy !== undefined) return false;
      return limits.messagesPerSecond === 0 || entry.messages.tokens >= 0;
    },
    close,
    bufferedBytes: () => buffered,
    slowReaders: () => slow,
    watch: () => clock.every(SWEEP_MS, sweep),
  };
}

/** How many bursts a bucket is short of. */
function debt(bucket: Bucket, perSecond: number): number {
  return perSecond === 0 ? 0 : -bucket.tokens / (perSecond * BURST_SECONDS);
}

/** Asks the client to leave; it comes back by itself, to another server if this one refuses. */
export function closeTransport(connection: EngineSocket, code: RefusalCode): void {
  const { close, message } = REFUSALS[code] as { close?: number; message: string };
  const webSocket = webSocketOf(connection);
  if (webSocket !== undefined && !connection.upgrading) webSocket.close(close ?? 1008, message.slice(0, 120));
  else connection.close();
}

/** Ends a connection at once, sent or not. */
export function cut(connection: EngineSocket): void {
  webSocketOf(connection)?.terminate();
  connection.close(true);
}
