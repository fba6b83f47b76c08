import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type KubeObject, toKubeObject } from './kube-object.ts';

const run = promisify(execFile);
const HELM = process.env.HELM || 'helm';

export const CHART = join(import.meta.dirname, '../../../../helm/socketfleet');
export const hasHelm = spawnSync(HELM, ['version'], { stdio: 'ignore' }).status === 0;

/** As `describe`; without Helm it is one skipped test whose name says why. */
export function describeWithHelm(title: string, body: () => void): void {
  if (hasHelm) describe(title, body);
  else describe(title, () => it.skip('needs helm on the PATH, or its file name in HELM', () => undefined));
}

export interface RenderOptions {
  readonly release?: string;
  readonly namespace?: string;
  readonly chart?: string;
  /** Files of values, before `values`. */
  readonly files?: readonly string[];
  readonly args?: readonly string[];
}

const rendered = new Map<string, Promise<KubeObject[]>>();

/** What `helm template` makes of values, the same objects for the same values. Rejects with what Helm says when it refuses. */
export function render(values: object = {}, options: RenderOptions = {}): Promise<KubeObject[]> {
  const key = JSON.stringify([values, options]);
  const objects = rendered.get(key) ?? renderAnew(values, options);
  rendered.set(key, objects);
  return objects;
}

async function renderAnew(values: object, options: RenderOptions): Promise<KubeObject[]> {
  return parseAllDocuments(await renderText(values, options))
    .map((document) => document.toJS() as unknown)
    .filter((object) => object !== null)
    .map(toKubeObject);
}

/** The same as text. */
export async function renderText(values: object = {}, options: RenderOptions = {}): Promise<string> {
  const { release = 'sf', namespace = 'chat', chart = CHART, files = [], args = [] } = options;
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-chart-'));
  const file = join(folder, 'values.json');
  writeFileSync(file, JSON.stringify(values));
  const valuesArgs = [...files, file].flatMap((name) => ['--values', name]);
  try {
    const all = ['template', release, chart, '--namespace', namespace, ...valuesArgs, ...args];
    const { stdout } = await run(HELM, all, { maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    throw new Error((error as { stderr?: string }).stderr ?? String(error), { cause: error });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What Helm says about values that it refuses. Rejects when it takes them. */
export async function refusal(values: object, options: RenderOptions = {}): Promise<string> {
  const text = await renderText(values, options).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (text === undefined) throw new Error(`these values were taken: ${JSON.stringify(values)}`);
  return text;
}

/** Runs Helm and resolves with what it prints. */
export async function helm(args: readonly string[]): Promise<string> {
  return (await run(HELM, [...args], { maxBuffer: 16 * 1024 * 1024 })).stdout;
}
