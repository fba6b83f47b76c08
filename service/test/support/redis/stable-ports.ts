import { createServer } from 'node:net';

const FIRST = 12_000;
const LAST = 31_999;

/**
 * Free ports that stay free while the server behind them is down. They lie below the range from which the system takes
 * ports of outgoing connections: in it, a client that keeps trying could be given its own target as source port and
 * then talk to itself, and the server could not come back.
 */
export async function stablePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
