/**
 * Everything that we override in, or read from, the private parts of Socket.IO and Engine.IO.
 * Each has a test in test/integration/upstream.test.ts that fails when upstream changes under it.
 *
 * Overridden, for servers given to `guardHandlers` only, so that a handler, middleware or ack callback that throws or
 * rejects becomes a fault of its own; upstream lets it end the process, or hang the client:
 * - Socket.prototype.onevent, _onpacket, emitReserved, registerAckCallback, notifyOutgoingListeners (guard-sockets.ts)
 * - Namespace.prototype._add, run, emitReserved, _onServerSideEmit (guard-namespaces.ts); `_add` also refuses to join twice at once
 * - Server.prototype.of, _checkNamespace, BroadcastOperator.prototype.emit (handler-guard.ts)
 *
 * Overridden for another reason:
 * - Socket.prototype.packet: what a recovered socket has missed is sent once its token was accepted (guard-sockets.ts)
 * - Socket.id, pid, data, recovered, leaveAll, Namespace._preConnectSockets: a recovered socket that may no longer be in
 *   one of its rooms goes on as a new one (recovered-sockets.ts)
 * - Client.prototype.connect: a connection is in a bounded number of namespaces (guard-clients.ts)
 * - Server._nsps, parentNsps, children and the adapter of a namespace that a client has named: let go when it is empty
 *   (empty-namespaces.ts); upstream's own option for that closes it under a socket that is about to join
 * - Namespace.prototype._createSocket: ids of sockets name the server that owns them (guard-namespaces.ts)
 * - Engine.IO ws.options.closeTimeout, maxFragments, maxBufferedChunks: a WebSocket that does not answer a close frame is
 *   not kept for 30 s, and a message cannot come in countless pieces
 *
 * Read:
 * - Server._nsps: every namespace, to find a socket by its id
 * - Server.parentNsps and their children: which namespaces a client has named
 * - Engine.IO transport.socket: the WebSocket behind a connection, for its close code, its unsent bytes and its control frames
 * - ws _socket.bytesRead: what came over the network, in whatever frames
 * - Engine.IO writeBuffer: what waits before the transport
 * - Engine.IO id of a connection and _query of a request, to know whose a response is
 * - the text of the error with which ws refuses a message that is too large
 */
import type { Server as Engine, Socket as EngineSocket } from 'engine.io';
import type { Namespace, Server } from 'socket.io';
import type { WebSocket } from 'ws';

/** The WebSocket behind a connection, unless it is still polling. */
export function webSocketOf(connection: EngineSocket): WebSocket | undefined {
  if (connection.transport?.name !== 'websocket') return undefined;
  return (connection.transport as unknown as { socket?: WebSocket }).socket;
}

/** What has been taken for a connection and not yet left this process. */
export function bufferedBytes(connection: EngineSocket): number {
  let bytes = webSocketOf(connection)?.bufferedAmount ?? 0;
  const queue = (connection as unknown as { writeBuffer: readonly { data?: unknown }[] }).writeBuffer;
  for (const packet of queue) bytes += sizeOf(packet.data);
  return bytes;
}

/** The name of a session in its requests. A secret: whoever knows it can speak for the client. */
export function sidOf(connection: EngineSocket): string {
  return (connection as unknown as { id: string }).id;
}

/** Bytes of one Engine.IO message; text counts its UTF-16 units, which is enough for a limit. */
export function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length;
  return (data as { byteLength?: number } | undefined)?.byteLength ?? 0;
}

/** The namespaces of a server that exist now, children of dynamic ones included. */
export function namespacesOf(server: Server): Iterable<Namespace> {
  return (server as unknown as { _nsps: Map<string, Namespace> })._nsps.values();
}

interface Parent {
  readonly children: Set<Namespace>;
}

function parentsOf(server: Server): Iterable<Parent> {
  return (server as unknown as { parentNsps: Map<unknown, Parent> }).parentNsps.values();
}

/** Whether a client's CONNECT brought this namespace into being: its name is then the client's text. */
export function isDynamic(nsp: Namespace): boolean {
  for (const { children } of parentsOf(nsp.server)) if (children.has(nsp)) return true;
  return false;
}

/** Every namespace that a client's CONNECT brought into being; an empty one has nobody in it, nor on the way in. */
export function childrenOf(server: Server): { child: Namespace; parent: Parent; isEmpty: boolean }[] {
  return [...parentsOf(server)].flatMap((parent) =>
    [...parent.children].map((child) => {
      const { _preConnectSockets: coming } = child as unknown as { _preConnectSockets: Map<string, unknown> };
      return { child, parent, isEmpty: child.sockets.size === 0 && coming.size === 0 };
    }),
  );
}

/** Lets go of such a namespace; the next CONNECT to it brings a new one into being. Resolves when its adapter has ended. */
export async function closeChild(
  server: Server,
  { child, parent }: { child: Namespace; parent: Parent },
): Promise<void> {
  (server as unknown as { _nsps: Map<string, Namespace> })._nsps.delete(child.name);
  parent.children.delete(child);
  await child.adapter.close();
}

/** What a WebSocket has read from the network; 0 for what is no WebSocket yet, or none any more. */
export function bytesRead(connection: EngineSocket): number {
  const webSocket = webSocketOf(connection) as { _socket?: { bytesRead: number } | null } | undefined;
  return webSocket?._socket?.bytesRead ?? 0;
}

export interface WebSocketLimits {
  /** How long a WebSocket may take to answer a close frame. */
  readonly closeTimeoutMs: number;
  readonly maxPayloadBytes: number;
}

// Browsers cut long messages into frames, and networks into segments; none are as small as this.
const SMALLEST_FRAGMENT = 1024;
const SMALLEST_CHUNK = 256;

/** Engine.IO makes its WebSocket server anew, without these limits, when HTTP begins to listen. */
export function limitWebSockets(engine: Engine, { closeTimeoutMs, maxPayloadBytes }: WebSocketLimits): void {
  const { ws } = engine as unknown as { ws: { options: object } };
  Object.assign(ws.options, {
    closeTimeout: closeTimeoutMs,
    maxFragments: Math.max(64, Math.ceil(maxPayloadBytes / SMALLEST_FRAGMENT)),
    maxBufferedChunks: Math.max(1024, Math.ceil(maxPayloadBytes / SMALLEST_CHUNK)),
  });
}

/** Whether this is what an Engine.IO connection closes with after a WebSocket message beyond the limit. */
export function isTooLarge(description: unknown): boolean {
  return description instanceof Error && description.message.includes('Max payload size exceeded');
}
