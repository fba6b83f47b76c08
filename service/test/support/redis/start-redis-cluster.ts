import { eventually } from '../eventually.ts';
import { atTestEnd } from './at-test-end.ts';
import { runRedis, type StartedRedis } from './run-redis.ts';
import { baseConfig } from './start-redis.ts';

export interface StartClusterOptions {
  readonly password?: string;
  /** Further lines of redis.conf. */
  readonly config?: readonly string[];
}

export interface StartedRedisCluster {
  /** URLs of the nodes, separated by commas. */
  readonly url: string;
  /** Three masters, each with a third of the slots. */
  readonly nodes: readonly StartedRedis[];
  /** The node that serves this key or sharded channel. */
  nodeOf(key: string): Promise<StartedRedis>;
  /** Gives the slot of a key or sharded channel, with its keys, to another node; its subscribers are told `sunsubscribe`. */
  moveSlot(key: string, to: StartedRedis): Promise<void>;
  /** Resolves once every node says that the cluster is well. */
  isWell(): Promise<void>;
  /** Ends all. Comes by itself after the test in which it was started. */
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const NODES = 3;
const WELL_MS = 15_000;

/** A Redis Cluster of three masters on the loopback. Resolves once each of them says `cluster_state:ok`. */
export async function startRedisCluster(options: StartClusterOptions = {}): Promise<StartedRedisCluster> {
  const nodes: StartedRedis[] = [];
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  atTestEnd(stop);
  const isWell = () => eventually(() => areWell(nodes), 'a cluster that is well', WELL_MS).then(() => undefined);
  try {
    while (nodes.length < NODES) nodes.push(await startNode(options));
    await join(nodes);
    await isWell();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: nodes.map(({ url }) => url).join(','),
    nodes,
    nodeOf: (key) => ownerOf(nodes, key),
    moveSlot: (key, to) => moveSlot(nodes, { key, to, password: options.password }),
    isWell,
    stop,
  };
}

function startNode({ password, config = [] }: StartClusterOptions): Promise<StartedRedis> {
  return runRedis({
    portCount: 2,
    config: ({ folder, ports: [port, busPort] }) => [
      ...baseConfig(folder),
      `port ${port}`,
      'cluster-enabled yes',
      // The default, port + 10000, may be taken or too large.
      `cluster-port ${busPort}`,
      'cluster-announce-ip 127.0.0.1',
      'cluster-node-timeout 2000',
      ...(password === undefined ? [] : [`requirepass ${password}`]),
      ...config,
    ],
    ...(password === undefined ? {} : { login: { password } }),
  });
}

async function join(nodes: readonly StartedRedis[]): Promise<void> {
  const [first] = nodes;
  for (const [index, node] of nodes.entries()) {
    const from = Math.floor((index * SLOTS) / NODES);
    const to = Math.floor(((index + 1) * SLOTS) / NODES) - 1;
    await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    await node.cli('CLUSTER', 'ADDSLOTSRANGE', from, to);
    if (node !== first) await first?.cli('CLUSTER', 'MEET', '127.0.0.1', ...node.ports);
  }
}

async function areWell(nodes: readonly StartedRedis[]): Promise<boolean> {
  const reports = await Promise.all(nodes.map((node) => node.cli('CLUSTER', 'INFO')));
  const wanted = ['cluster_state:ok', `cluster_slots_ok:${SLOTS}`, `cluster_known_nodes:${NODES}`];
  return reports.every((report) => wanted.every((line) => String(report).split('\r\n').includes(line)));
}

async function ownerOf(nodes: readonly StartedRedis[], key: string, witness = nodes[0]): Promise<StartedRedis> {
  const slot = Number(await witness?.cli('CLUSTER', 'KEYSLOT', key));
  const ranges = (await witness?.cli('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const range = ranges.find(([from, to]) => from <= slot && slot <= to);
  const owner = nodes.find(({ port }) => port === range?.[2][1]);
  if (!owner) throw new Error(`nobody serves slot ${slot}`);
  return owner;
}

interface Move {
  readonly key: string;
  readonly to: StartedRedis;
  readonly password: string | undefined;
}

async function moveSlot(nodes: readonly StartedRedis[], { key, to, password }: Move): Promise<void> {
  const from = await ownerOf(nodes, key);
  if (from === to) return;
  const slot = Number(await to.cli('CLUSTER', 'KEYSLOT', key));
  const [fromId, toId] = (await Promise.all([from, to].map((node) => node.cli('CLUSTER', 'MYID')))).map(String);
  await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  const auth = password === undefined ? [] : ['AUTH', password];
  for (;;) {
    const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
    if (keys.length === 0) break;
    await from.cli('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, ...auth, 'KEYS', ...keys);
  }
  // The new owner first: only then does nobody point to a node that refuses.
  for (const node of [to, from, ...nodes.filter((other) => other !== to && other !== from)]) {
    await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '');
  }
  await eventually(
    async () => (await Promise.all(nodes.map((node) => ownerOf(nodes, key, node)))).every((owner) => owner === to),
    'agreement on the moved slot',
  );
}
