// `npm run k8s:base`: writes k8s/base, which is the chart rendered with k8s/base-values.yaml. The chart is the source.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BASE = join(ROOT, 'k8s/base');
const HEAD = '# Made from the chart by "npm run k8s:base". Change the chart, or patch this in an overlay.\n';
/** What Helm needs and Kustomize does not. */
const OF_HELM = ['helm.sh/chart', 'app.kubernetes.io/managed-by'];

/** The files of k8s/base by name. Throws what Helm says. */
export function baseFiles() {
  const args = ['template', 'socketfleet', 'helm/socketfleet', '--values', 'k8s/base-values.yaml', '--skip-tests'];
  const { status, stdout, stderr, error } = spawnSync(process.env.HELM || 'helm', args, {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(error?.message ?? stderr);
  const objects = parseAllDocuments(stdout)
    .map((document) => document.toJS())
    .filter((object) => object !== null);
  const files = new Map(objects.map((object) => [fileOf(object), HEAD + stringify(plain(object), { lineWidth: 0 })]));
  const resources = [...files.keys()].sort();
  const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources };
  files.set('kustomization.yaml', HEAD + stringify(kustomization));
  return files;
}

function fileOf({ kind, metadata }) {
  return `${kind.toLowerCase()}-${metadata.name}.yaml`;
}

function plain(object) {
  const labels = Object.entries(object.metadata.labels).filter(([key]) => !OF_HELM.includes(key));
  return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(labels) } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = baseFiles();
  rmSync(BASE, { recursive: true, force: true });
  mkdirSync(BASE);
  for (const [name, text] of files) writeFileSync(join(BASE, name), text);
  console.log(`wrote ${files.size} files to k8s/base`);
}
