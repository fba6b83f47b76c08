import { randomBytes } from 'node:crypto';
import { run } from '../lib/run.ts';
import type { Scenario, World } from '../lib/scenario.ts';
import { createStockClient } from '../lib/stock-client.ts';
import { mintToken } from '../lib/token.ts';
import { underLoad } from '../lib/under-load.ts';
import { until } from '../lib/until.ts';

interface Keys {
  readonly api: string;
  readonly jwt: string;
  readonly redis: string;
}

const TAKEN_MS = 120_000;

/** New keys come beside the old ones, then go first, then stand alone. Nobody is cut, and no pod restarts. */
export const rotateSecrets: Scenario = {
  name: 'rotate-secrets',
  what: 'all three secrets rotated',
  needs: ['crowd'],
  run: (world) =>
    underLoad(world, {
      isGraceful: true,
      mostOutages: 0,
      async act() {
        const secrets = await world.release.secrets();
        const old: Keys = keysOf(secrets);
        const fresh: Keys = { api: newKey(), jwt: newKey(), redis: newKey() };
        const problems: string[] = [];
        world.say('both are valid');
        await write(world, [old, fresh]);
        await until({
          what: 'every pod takes the new API key',
          deadlineMs: TAKEN_MS,
          ask: async () => (await answers(world, fresh.api)).every((status) => status === 200),
        });
        for (const { jwt } of [old, fresh])
          if (!(await isAccepted(world, jwt))) problems.push('with two secrets a token of one was refused');
        world.say('backends change to the new ones');
        await write(world, [fresh, old]);
        await until({
          what: 'the publisher has the new API key',
          deadlineMs: TAKEN_MS,
          ask: async () => (await inPublisher(world, ['cat', '/key/api-key'])).startsWith(fresh.api),
        });
        world.say('only the new ones are valid');
        await write(world, [fresh]);
        await until({
          what: 'no pod takes the old API key',
          deadlineMs: TAKEN_MS,
          ask: async () => (await answers(world, old.api)).every((status) => status === 401),
        });
        await until({
          what: 'Redis takes its new password',
          deadlineMs: TAKEN_MS,
          ask: async () => (await inRedis(world, fresh.redis)).includes('PONG'),
        });
        if (await isAccepted(world, old.jwt)) problems.push('a token of the old secret was still accepted');
        return problems;
      },
    }),
};

function keysOf(secrets: Readonly<Record<string, string>>): Keys {
  const key = (name: string) => secrets[name] ?? '';
  return { api: key('api-key'), jwt: key('jwt-secret'), redis: key('redis-password') };
}

function newKey(): string {
  return randomBytes(32).toString('hex');
}

/** Writes the Secret, and touches the pods: a kubelet brings a changed Secret to a pod at once when the pod changes, too. */
async function write({ release, kubernetes, publisher }: World, keys: readonly Keys[]): Promise<void> {
  const lines = (of: (key: Keys) => string) => keys.map(of).join('\n');
  await release.setSecrets({
    'api-key': lines(({ api }) => api),
    'jwt-secret': lines(({ jwt }) => jwt),
    // One at a time: Redis itself lets the old one count a while longer.
    'redis-password': keys[0]?.redis ?? '',
  });
  const pods = [...(await release.pods('server')), ...(await release.pods('redis'))];
  const names = [publisher.pod, ...pods.map(({ metadata }) => metadata.name)];
  const annotations = { 'socketfleet.test/secrets-changed': new Date().toISOString() };
  for (const name of names)
    await kubernetes.patch(`/api/v1/namespaces/${release.namespace}/pods/${name}`, { metadata: { annotations } });
}

/** The status with which each pod answers an API key. */
async function answers(world: World, key: string): Promise<readonly number[]> {
  const addresses = (await world.release.pods('server')).map(
    ({ status }) => `http://${status.podIP}:9464/api/v1/rooms`,
  );
  const script = `const headers = { authorization: 'Bearer ${key}' };
    Promise.all(${JSON.stringify(addresses)}.map((url) => fetch(url, { headers }).then(({ status }) => status)))
      .then((all) => console.log(JSON.stringify(all)))`;
  return JSON.parse(await inPublisher(world, ['node', '-e', script]));
}

/** Runs a program where the publisher runs: the internal port is reached from inside the cluster only. */
function inPublisher({ release, publisher }: World, command: readonly string[]): Promise<string> {
  const args = ['exec', '-n', release.namespace, publisher.pod, '--', ...command];
  return run('kubectl', { args, deadlineMs: 15_000 });
}

async function inRedis({ release }: World, password: string): Promise<string> {
  const command = ['env', `REDISCLI_AUTH=${password}`, 'redis-cli', 'ping'];
  const args = ['exec', '-n', release.namespace, `${release.fullname}-redis-0`, '--', ...command];
  return run('kubectl', { args, deadlineMs: 15_000 });
}

async function isAccepted({ options }: World, secret: string): Promise<boolean> {
  const token = async () => mintToken(secret, 'rotation');
  const client = createStockClient({ url: options.url.href, kind: 'websocket', room: 'rotation', token });
  try {
    return await until({
      what: 'a client is let in or sent away',
      deadlineMs: 20_000,
      ask: () => (client.isHere() ? 'in' : client.record.ends.length > 0 ? 'away' : undefined),
    }).then((answer) => answer === 'in');
  } finally {
    client.stop();
  }
}
