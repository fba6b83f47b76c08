/** What a swarm client does with what it gets. */
export interface ClientEvents {
  /** A frame that carries an event, as it came. */
  onEvent(frame: Uint8Array): void;
  /** The connection went away without being asked to. */
  onLost(): void;
}

/** One connected client. */
export interface SwarmClient {
  /** Cuts the connection. */
  close(): void;
}

/** Engine.IO packet types as their first byte. */
export const PACKET = { open: 0x30, ping: 0x32, pong: 0x33, message: 0x34 } as const;

/** Socket.IO packet types behind an Engine.IO message. */
export const MESSAGE = { connect: 0x30, event: 0x32 } as const;
