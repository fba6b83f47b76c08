import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from '../lib/run.ts';
import type { Scenario } from '../lib/scenario.ts';

const DOCUMENT = 'service/docs/kubernetes.md';
const BLOCK = /<!-- quick-start -->\s*```sh\n([\s\S]*?)```/;
const DEADLINE_MS = 150_000;
const RECEIVED = /\] me: hello/;

/** The commands of the document, word by word, in a namespace of their own, until a message has come. */
export const quickStart: Scenario = {
  name: 'quick-start',
  what: 'quick start of the documents',
  needs: [],
  async run({ options, namespaces }) {
    if (options.standIns === '')
      return { problems: [], skipped: 'it would make a cluster of its own; see --stand-ins' };
    const script = BLOCK.exec(readFileSync(DOCUMENT, 'utf8'))?.[1];
    if (script === undefined) return { problems: [`${DOCUMENT} has no quick start`] };
    const namespace = `${options.namespace}-start`;
    const folder = mkdtempSync(join(tmpdir(), 'socketfleet-start-'));
    try {
      await namespaces.create(namespace);
      const kubeconfig = join(folder, 'kubeconfig');
      const kubectl = (args: readonly string[], env = {}) => run('kubectl', { args, env, deadlineMs: 15_000 });
      writeFileSync(kubeconfig, await kubectl(['config', 'view', '--raw', '--flatten']), { mode: 0o600 });
      const env = { KUBECONFIG: kubeconfig, PATH: `${options.standIns}${delimiter}${process.env.PATH}` };
      await kubectl(['config', 'set-context', '--current', `--namespace=${namespace}`], env);
      const args = ['-euo', 'pipefail', '-c', script];
      const output = await run('bash', { args, env, deadlineMs: DEADLINE_MS });
      if (!RECEIVED.test(output)) return { problems: [`no message in:\n${output}`] };
      await namespaces.remove(namespace);
      return { problems: [] };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
