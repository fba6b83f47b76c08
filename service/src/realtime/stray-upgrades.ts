/** Ends upgrades that nobody takes. */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../contracts.ts';
import { refusalBody } from '../refusals.ts';

const PATIENCE_MS = 1_000;

/**
 * Answers 404 to an upgrade on another path than `path`, unless an app module has answered it within a second.
 * Engine.IO's own way leaves the socket half open for as long as the client likes, without any error handler.
 */
export function endStrayUpgrades(http: HttpServer, { path }: { readonly path: string }, clock: Clock): void {
  http.on('upgrade', (req: IncomingMessage, socket: Socket) => {
    if (req.url?.startsWith(`${path}/`)) return;
    // A reset of a socket without a listener would end the process.
    socket.on('error', () => socket.destroy());
    clock.after(PATIENCE_MS, () => {
      if (socket.destroyed || socket.bytesWritten > 0) return;
      const body = JSON.stringify(refusalBody('not_found', 'Socket.IO is on /socket.io/'));
      socket.end(
        `HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      socket.destroySoon();
    });
  });
}
