import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface StartedPickyProxy {
  /** `redis://` to its port. */
  readonly url: string;
  /**
   * From now on nothing passes on the connections of subscribers, or of publishers, that are open now. They stay open,
   * as behind a firewall that forgot them; new ones work.
   */
  silence(role: 'subscribers' | 'publishers'): void;
  /** Connections of a role that were ever made. */
  made(role: 'subscribers' | 'publishers'): number;
}

/** A network path to Redis that can lose single connections without anybody noticing. */
export async function startPickyProxy(targetPort: number): Promise<StartedPickyProxy> {
  const pairs: { readonly client: Socket; readonly target: Socket; said: string; isSilent: boolean }[] = [];
  const roleOf = ({ said }: { said: string }) => (/\r\n[ps]?subscribe\r\n/i.test(said) ? 'subscribers' : 'publishers');

  const server = createServer((client) => {
    const pair = { client, target: connect(targetPort, '127.0.0.1'), said: '', isSilent: false };
    pairs.push(pair);
    for (const [from, to] of [
      [client, pair.target],
      [pair.target, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        if (from === client && pair.said.length < 100_000) pair.said += chunk.toString('latin1');
        if (!pair.isSilent) to.write(chunk);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        if (!pair.isSilent) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const { client, target } of pairs) {
      client.destroy();
      target.destroy();
    }
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as { port: number }).port}`,
    silence(role) {
      for (const pair of pairs) if (roleOf(pair) === role) pair.isSilent = true;
    },
    made: (role) => pairs.filter((pair) => roleOf(pair) === role).length,
  };
}
