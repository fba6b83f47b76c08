import { parseArgs } from 'node:util';

/** What the command line says. */
export interface Options {
  /** `repository:tag` of the image under test, as the cluster's nodes know it. */
  readonly image: string;
  /** Of a Redis that is not the chart's. */
  readonly redisImage: string;
  readonly namespace: string;
  /** Where clients reach the ingress; its host name is the Ingress' host. */
  readonly url: URL;
  readonly ingressClass: string;
  readonly affinity: string;
  /** Further `--set` values for the chart. */
  readonly set: readonly string[];
  /** Command that sends SIGKILL to a pod's process; NAMESPACE/POD is appended. Empty: that scenario is skipped. */
  readonly podKill: readonly string[];
  /** Folder with programs `kind` and `docker` that stand in for the real ones. Empty: the quick start is skipped. */
  readonly standIns: string;
  readonly clients: number;
  readonly keeps: boolean;
  /** Names of the scenarios to run; empty: all. */
  readonly only: readonly string[];
  readonly helps: boolean;
}

export const HELP = `npm run test:cluster -- --image socketfleet:dev [options]
Installs the chart into a fresh namespace of the cluster that kubectl talks to, lets stock clients come through the
ingress, and takes the installation apart under them. Needs kubectl and helm on the PATH, and an ingress controller.

  --image <name>          the image, already on the cluster's nodes (kind load docker-image ...)
  --redis-image <name>    for a Redis beside the chart's own (default redis:7)
  --url <url>             where clients reach the ingress (default http://localhost)
  --ingress-class <name>  class of the Ingress (default haproxy)
  --affinity <provider>   affinity.provider of the chart (default haproxy)
  --set <key=value>       another value for the chart; may be repeated
  --pod-kill <command>    sends SIGKILL to a pod's process from outside; NAMESPACE/POD is appended to it
  --stand-ins <folder>    runs the quick start of the documents with the programs kind and docker of this folder,
                          because the cluster is there already and has the image
  --namespace <name>      (default socketfleet-test-<number>); it must not exist
  --clients <n>           stock clients, a third of each kind (default 60)
  --only <scenario>       runs this scenario and what it needs; may be repeated
  --keep                  leaves the namespaces there
`;

/** Reads the command line; throws with one sentence when it is wrong. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      image: { type: 'string' },
      'redis-image': { type: 'string', default: 'redis:7' },
      url: { type: 'string', default: 'http://localhost' },
      'ingress-class': { type: 'string', default: 'haproxy' },
      affinity: { type: 'string', default: 'haproxy' },
      set: { type: 'string', multiple: true, default: [] },
      'pod-kill': { type: 'string', default: '' },
      'stand-ins': { type: 'string', default: '' },
      namespace: { type: 'string', default: `socketfleet-test-${process.pid}` },
      clients: { type: 'string', default: '60' },
      only: { type: 'string', multiple: true, default: [] },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const clients = Number(values.clients);
  if (!Number.isInteger(clients) || clients < 3) throw new Error(`--clients=${values.clients} must be 3 or more`);
  if (!URL.canParse(values.url)) throw new Error(`--url=${values.url} is not a URL`);
  const image = values.image ?? '';
  if (!values.help && !/^[^:]+(:\d+)?[^:]*:[\w.-]+$/.test(image)) {
    throw new Error(`--image must be repository:tag${image === '' ? '' : `, not ${image}`}`);
  }
  return {
    image,
    redisImage: values['redis-image'],
    namespace: values.namespace,
    url: new URL(values.url),
    ingressClass: values['ingress-class'],
    affinity: values.affinity,
    set: values.set,
    podKill: values['pod-kill'].split(' ').filter((word) => word !== ''),
    standIns: values['stand-ins'],
    clients,
    keeps: values.keep,
    only: values.only,
    helps: values.help,
  };
}
