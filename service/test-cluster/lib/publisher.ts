/** A pod that publishes numbered messages through the HTTP API, as a backend inside the cluster does. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Kubernetes } from './kubernetes.ts';
import type { Publish } from './ledger.ts';
import { until } from './until.ts';

export interface PublisherOptions {
  readonly namespace: string;
  readonly image: string;
  /** Of the internal Service, as seen from a pod. */
  readonly apiUrl: string;
  /** Secret with the key `api-key`. */
  readonly secret: string;
  readonly room: string;
  readonly everyMs: number;
}

export interface Publisher {
  readonly pod: string;
  /** Resolves after the first message. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** All acknowledged messages so far, by this machine's clock. */
  publishes(): readonly Publish[];
  /** Resolves with the number of the first message that is published from now on. */
  next(deadlineMs: number): Promise<number>;
  /** Attempts that failed since a moment, by what they failed with. */
  problems(since: number): Readonly<Record<string, number>>;
}

interface Line extends Publish {
  readonly problems: readonly string[];
}

const POD = 'publisher';
const SCRIPT = 'service/test-cluster/publisher/publish.mjs';

export function createPublisher(options: PublisherOptions, kubernetes: Kubernetes): Publisher {
  const pods = `/api/v1/namespaces/${options.namespace}/pods`;
  const lines = new Map<number, Line>();
  const stopping = new AbortController();
  // Of this machine's clock before the pod's; the quickest line tells best.
  let ahead = Number.POSITIVE_INFINITY;
  let following: Promise<void> = Promise.resolve();

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const text = await kubernetes.stream(`${pods}/${POD}/log?follow=true&sinceSeconds=60`, stopping.signal);
        for await (const line of createInterface({ input: Readable.fromWeb(text) })) take(line);
      } catch (error) {
        if (!stopping.signal.aborted) console.error(`the publisher's log broke off: ${(error as Error).message}`);
      }
    }
  }

  function take(text: string): void {
    const line = JSON.parse(text) as Line;
    ahead = Math.min(ahead, Date.now() - line.to);
    lines.set(line.n, line);
  }

  const here = (line: Line): Publish => ({ n: line.n, from: line.from + ahead, to: line.to + ahead });
  const last = () => Math.max(0, ...lines.keys());

  return {
    pod: POD,
    async start() {
      await kubernetes.create(pods, podOf(options));
      await until({
        what: 'the publisher runs',
        deadlineMs: 60_000,
        ask: async () =>
          (await kubernetes.get<{ status: { phase: string } }>(`${pods}/${POD}`)).status.phase === 'Running',
      });
      following = follow();
      await until({ what: 'the publisher is heard', deadlineMs: 30_000, ask: () => last() > 0 });
    },
    async stop() {
      stopping.abort();
      await kubernetes.remove(`${pods}/${POD}?gracePeriodSeconds=0`);
      await following;
    },
    publishes: () => [...lines.values()].map(here),
    next(deadlineMs) {
      const now = Date.now();
      return until({
        what: 'another message is published',
        deadlineMs,
        ask: () => [...lines.values()].map(here).find(({ from }) => from > now)?.n,
      });
    },
    problems(since) {
      const counts: Record<string, number> = {};
      for (const line of lines.values()) {
        if (here(line).from < since) continue;
        for (const problem of line.problems) counts[problem] = (counts[problem] ?? 0) + 1;
      }
      return counts;
    },
  };
}

/** Meets the restricted profile, like everything in this namespace. */
function podOf({ image, apiUrl, secret, room, everyMs }: PublisherOptions): object {
  return {
    metadata: { name: POD, labels: { 'app.kubernetes.io/name': POD } },
    spec: {
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: POD,
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '--input-type=module', '--eval', readFileSync(SCRIPT, 'utf8')],
          env: [
            { name: 'API_URL', value: apiUrl },
            { name: 'KEY_FILE', value: '/key/api-key' },
            { name: 'ROOM', value: room },
            { name: 'EVERY_MS', value: String(everyMs) },
          ],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [{ name: 'key', mountPath: '/key', readOnly: true }],
        },
      ],
      volumes: [
        {
          name: 'key',
          secret: { secretName: secret, items: [{ key: 'api-key', path: 'api-key' }], defaultMode: 0o444 },
        },
      ],
    },
  };
}
