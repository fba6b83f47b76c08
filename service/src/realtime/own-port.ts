/** Inlet that listens on a TCP port. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Inlet } from '../contracts.ts';

/** Listens on `host`; `::` falls back to `0.0.0.0` where the machine has no IPv6. Rejects with the system's error, EADDRINUSE for one. */
export function createOwnPort(options: { host: string; port: number }): Inlet {
  let listening: Server | undefined;
  return {
    async start(server) {
      try {
        await listen(server, options.host, options.port);
      } catch (error) {
        if (options.host !== '::' || (error as NodeJS.ErrnoException).code !== 'EAFNOSUPPORT') throw error;
        await listen(server, '0.0.0.0', options.port);
      }
      listening = server;
    },
    async stop() {
      const server = listening;
      listening = undefined;
      // Connections that are still open belong to their owner; only the listening ends here.
      server?.close();
    },
    url() {
      const address = listening?.address() as AddressInfo | null | undefined;
      return address ? `http://${hostOf(address)}:${address.port}` : undefined;
    },
  };
}

function hostOf(address: AddressInfo): string {
  if (address.address === '::' || address.address === '0.0.0.0') return 'localhost';
  return address.family === 'IPv6' ? `[${address.address}]` : address.address;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
