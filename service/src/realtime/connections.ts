/** What every connection is subject to: rates of what it sends, a bound on what it leaves unread, and the ways to close it. */
import type { Socket as EngineSocket } from 'engine.io';
import type { Cancel, Clock, Metrics } from '../contracts.ts';
import { REFUSALS, type RefusalCode } from '../refusals.ts';
import { type Bucket, refill } from './token-bucket.ts';
import type { UnreadResponses } from './unread-responses.ts';
import { bufferedBytes, isTooLarge, sidOf, sizeOf, webSocketOf } from './upstream.ts';

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
  closedBy?: RefusalCode;
}

// Burst: this many seconds' worth at once.
const BURST_SECONDS = 2;
// A client that goes on although its events are refused is closed at this many bursts of debt.
const FLOOD_BURSTS = 5;
const SWEEP_MS = 1000;

export function createConnections(limits: ConnectionLimits, deps: ConnectionsDeps): Connections {
  const { clock, metrics } = deps;
  const entries = new Map<EngineSocket, Entry>();
  const messageBurst = limits.messagesPerSecond * BURST_SECONDS;
  const byteBurst = limits.bytesPerSecond * BURST_SECONDS;
  let buffered = 0;
  let slow = 0;

  function close(connection: EngineSocket, code: RefusalCode): void {
    const entry = entries.get(connection);
    if (entry === undefined || entry.closedBy !== undefined) return;
    entry.closedBy = code;
    metrics.refused(code);
    closeTransport(connection, code);
  }

  // Every packet counts, or a flood of pongs would go unseen.
  function onPacket(this: EngineSocket, { type, data }: { type: string; data?: unknown }): void {
    const entry = entries.get(this);
    if (entry === undefined) return;
    const size = sizeOf(data);
    if (type === 'message') metrics.received(size);
    const now = clock.now();
    if (limits.bytesPerSecond > 0) {
      refill(entry.bytes, now, limits.bytesPerSecond, byteBurst);
      entry.bytes.tokens -= size;
      if (entry.bytes.tokens < 0) close(this, 'rate_limited');
    }
    if (limits.messagesPerSecond > 0) {
      refill(entry.messages, now, limits.messagesPerSecond, messageBurst);
      entry.messages.tokens -= 1;
      if (entry.messages.tokens < -FLOOD_BURSTS * messageBurst) close(this, 'rate_limited');
    }
  }

  function onUpgrade(this: EngineSocket): void {
    const entry = entries.get(this);
    if (entry === undefined) return;
    entry.transport = 'websocket';
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
        messages: { tokens: messageBurst, at: now },
        bytes: { tokens: byteBurst, at: now },
      });
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
