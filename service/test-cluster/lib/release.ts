/** One installation of the chart, through the stock helm. */
import type { Kubernetes } from './kubernetes.ts';
import { type Deployment, isReady, type List, type Pod, type Secret } from './objects.ts';
import { run } from './run.ts';
import { until } from './until.ts';

export interface ReleaseOptions {
  readonly name: string;
  readonly namespace: string;
  /** Values of every install and upgrade, as flags of helm. */
  readonly values: readonly string[];
}

export interface Release {
  readonly name: string;
  readonly namespace: string;
  /** What its objects' names begin with. */
  readonly fullname: string;
  /** Rejects unless everything is ready in time. */
  install(deadlineSeconds: number): Promise<void>;
  /** Does not wait. */
  installNow(): Promise<void>;
  /** With more values than at the installation. */
  upgrade(more: readonly string[], deadlineSeconds: number): Promise<void>;
  rollback(revision: number, deadlineSeconds: number): Promise<void>;
  /** Resolves with what the tests printed. */
  test(deadlineSeconds: number): Promise<string>;
  uninstall(): Promise<void>;
  deployment(): Promise<Deployment>;
  /** All pods of a component, those on their way out included. */
  pods(component: 'server' | 'redis'): Promise<readonly Pod[]>;
  /** The generated Secret, decoded. */
  secrets(): Promise<Readonly<Record<string, string>>>;
  setSecrets(values: Readonly<Record<string, string>>): Promise<void>;
  scale(replicas: number): Promise<void>;
  restart(): Promise<void>;
  /** Resolves when `replicas` pods of the newest kind are ready and no other one is left. */
  settled(replicas: number, deadlineMs: number): Promise<void>;
}

const CHART = 'helm/socketfleet';

export function createRelease({ name, namespace, values }: ReleaseOptions, kubernetes: Kubernetes): Release {
  const fullname = name.includes('socketfleet') ? name : `${name}-socketfleet`;
  const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const core = `/api/v1/namespaces/${namespace}`;
  const secretPath = `${core}/secrets/${fullname}-secrets`;

  function helm(args: readonly string[], deadlineSeconds: number): Promise<string> {
    return run('helm', { args: [...args, '--namespace', namespace], deadlineMs: (deadlineSeconds + 15) * 1_000 });
  }

  const timeout = (seconds: number) => ['--wait', '--timeout', `${seconds}s`];
  const deployment = () => kubernetes.get<Deployment>(`${deployments}/${fullname}`);

  async function pods(component: string): Promise<readonly Pod[]> {
    const labels = encodeURIComponent(`app.kubernetes.io/instance=${name},app.kubernetes.io/component=${component}`);
    return (await kubernetes.get<List<Pod>>(`${core}/pods?labelSelector=${labels}`)).items;
  }

  return {
    name,
    namespace,
    fullname,
    async install(seconds) {
      await helm(['install', name, CHART, ...values, ...timeout(seconds)], seconds);
    },
    async installNow() {
      await helm(['install', name, CHART, ...values], 60);
    },
    async upgrade(more, seconds) {
      await helm(['upgrade', name, CHART, ...values, ...more, ...timeout(seconds)], seconds);
    },
    async rollback(revision, seconds) {
      await helm(['rollback', name, String(revision), ...timeout(seconds)], seconds);
    },
    test: (seconds) => helm(['test', name, '--logs', '--timeout', `${seconds}s`], seconds),
    async uninstall() {
      await helm(['uninstall', name, ...timeout(120)], 120);
    },
    deployment,
    pods,
    async secrets() {
      const { data } = await kubernetes.get<Secret>(secretPath);
      return Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
      );
    },
    setSecrets: (values) => kubernetes.patch(secretPath, { stringData: values }),
    scale: (replicas) => kubernetes.patch(`${deployments}/${fullname}/scale`, { spec: { replicas } }),
    restart: () =>
      kubernetes.patch(`${deployments}/${fullname}`, {
        spec: {
          template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() } } },
        },
      }),
    async settled(replicas, deadlineMs) {
      await until({
        what: `${replicas} pods are ready and the others gone`,
        deadlineMs,
        ask: async () => {
          const { metadata, status } = await deployment();
          const all = await pods('server');
          const states = all.map(stateOf).join(', ');
          if (status.observedGeneration !== metadata.generation || status.updatedReplicas !== replicas)
            throw new Error(states);
          if (all.length !== replicas || !all.every(isReady)) throw new Error(states);
          return true;
        },
      });
    },
  };
}

function stateOf(pod: Pod): string {
  const { metadata, status } = pod;
  const state = metadata.deletionTimestamp === undefined ? status.phase : 'Terminating';
  return `${metadata.name} ${isReady(pod) ? 'Ready' : state}`;
}
