/** A Socket.IO client that goes straight to WebSocket: Engine.IO 4 and Socket.IO 5 by hand, as cheap as a client can be. */
import { WebSocket } from 'ws';
import { type ClientEvents, MESSAGE, PACKET, type SwarmClient } from './client.ts';

const OPTIONS = { perMessageDeflate: false, skipUTF8Validation: true } as const;

/** Opens a WebSocket to Engine.IO; `query` goes behind the transport's. */
export function openWebSocket(url: string, query = ''): WebSocket {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket${query}`, OPTIONS);
  // Whoever waits for this connection listens too; afterwards 'close' tells, and an error must not end the swarm.
  ws.on('error', () => undefined);
  return ws;
}

/** Handles the frames of a client that is on WebSocket and calls `onConnect` when it has joined the namespace. */
export function readFrames(ws: WebSocket, { onEvent, onLost }: ClientEvents, onConnect: () => void): SwarmClient {
  let isWanted = true;
  ws.on('message', (frame: Buffer) => {
    if (frame[0] === PACKET.message) {
      if (frame[1] === MESSAGE.event) onEvent(frame);
      else if (frame[1] === MESSAGE.connect) onConnect();
    } else if (frame[0] === PACKET.ping) ws.send('3');
    else if (frame[0] === PACKET.open) ws.send('40');
  });
  ws.on('close', () => {
    if (isWanted) onLost();
    isWanted = false;
  });
  return {
    close() {
      isWanted = false;
      ws.terminate();
    },
  };
}

/** Resolves once the client has joined the namespace; rejects when the connection fails before. */
export function connectWebSocket(url: string, events: ClientEvents): Promise<SwarmClient> {
  return new Promise((resolve, reject) => {
    const ws = openWebSocket(url);
    let isConnected = false;
    const onLost = () => (isConnected ? events.onLost() : reject(new Error('closed before it had connected')));
    ws.on('error', reject);
    const client = readFrames(ws, { ...events, onLost }, () => {
      isConnected = true;
      resolve(client);
    });
  });
}
