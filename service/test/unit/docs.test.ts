import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Server } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { renderSections, replaceSections } from '../../scripts/docs-tables.mjs';
import { gateway } from '../../src/app/gateway.ts';
import { joinOptions, MOST_ROOMS_PER_CALL } from '../../src/app/payloads.ts';
import type { Services } from '../../src/contracts.ts';
import { helpText } from '../../src/help.ts';
import { METRICS } from '../../src/ops/metric-table.ts';
import { REFUSALS } from '../../src/refusals.ts';
import { SETTINGS } from '../../src/settings.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const readme = read('README.md');
const { scripts, version, dependencies, devDependencies } = JSON.parse(read('package.json')) as {
  version: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const decisions = readdirSync(join(ROOT, 'service/docs/decisions')).map((file) => `service/docs/decisions/${file}`);
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'service/README.md',
  'service/docs/benchmarks.md',
  ...decisions,
];

/** First cells of the table below a heading, down to the next heading. */
function firstCells(text: string, heading: string): string[] {
  const section = text.split(`\n${heading}\n`)[1]?.split(/\n#+ /)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.map((row) => row.split('|')[1]?.trim() ?? '').filter((cell) => cell !== '---');
}
const namesIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
const withoutCode = (text: string) => text.replace(/```[\s\S]*?```/g, '');

/** The fragment that a heading gets on the usual Git hosts. */
function anchorOf(heading: string): string {
  const plain = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
  return plain.trim().replaceAll(' ', '-');
}

describe('the README', () => {
  it('has the reference tables that the code gives; npm run docs writes them', () => {
    const openapi = parseYaml(read('service/docs/openapi.yaml')) as object;
    const sections = renderSections({ settings: SETTINGS, refusals: REFUSALS, metrics: METRICS, openapi });
    expect(readme).toBe(replaceSections(readme, sections));
  });

  it('has the quick start that the cluster test runs', () => {
    const [, block = 'none'] =
      /<!-- quick-start -->\n([\s\S]*?)<!-- \/quick-start -->/.exec(read('service/docs/kubernetes.md')) ?? [];
    expect(readme).toContain(block);
  });

  it('lists exactly the events that the gateway takes', () => {
    const taken: string[] = [];
    const socket = { on: (event: string) => taken.push(event), onAny: () => undefined, recovered: false };
    const io = { on: (_event: string, call: (one: unknown) => void) => call(socket) };
    const services = { roomName: String, presence: { onChange: () => undefined } };
    gateway(io as unknown as Server, services as unknown as Services);
    const [listed] = readme.split('\n## Events of the gateway\n')[1]?.split('\n- ') ?? [];
    const events = firstCells(`\n## Events\n${listed}`, '## Events').flatMap((cell) => namesIn(cell));
    expect(events.sort()).toEqual(taken.filter((event) => event !== 'disconnecting').sort());
  });

  it('names only refusal codes that exist', () => {
    const [listed = ''] = readme.split('\n## Events of the gateway\n')[1]?.split('\n- ') ?? [];
    const rows = listed.split('\n').filter((line) => line.startsWith('| `'));
    const codes = rows.flatMap((row) => namesIn(row.split('|')[3] ?? ''));
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !Object.hasOwn(REFUSALS, code))).toEqual([]);
  });

  it('names only settings and metrics that exist', () => {
    const known = new Set(Object.values(SETTINGS).flatMap(({ env }) => [env, `${env}_FILE`]));
    const settings = [...readme.matchAll(/\bSOCKETFLEET_[A-Z_]+[A-Z]\b/g)].map(([name]) => name);
    // The one that Kubernetes injects.
    expect(settings.filter((name) => !known.has(name) && name !== 'SOCKETFLEET_PORT')).toEqual([]);
    const metrics = [...readme.matchAll(/\bsocketfleet_[a-z_]+[a-z]\b/g)].map(([name]) => name);
    const isKnown = (name: string) => Object.hasOwn(METRICS, name) || /^socketfleet_(?:nodejs|process)$/.test(name);
    expect(metrics.filter((name) => !isKnown(name))).toEqual([]);
  });

  it('describes every member of services', () => {
    const [, body = ''] = /export interface Services \{\n([\s\S]*?)\n\}/.exec(read('service/src/contracts.ts')) ?? [];
    const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name);
    const table = readme.split('What `services` offers:')[1]?.split('\n\n')[1] ?? '';
    const described = table.split('\n').flatMap((row) => namesIn(row.split('|')[1] ?? ''));
    expect(described.map((name) => name.replace(/\(.*/, '')).sort()).toEqual(members.sort());
  });

  it('tells the exit codes that --help tells', () => {
    const [, line = ''] = /exit codes: (.*)/.exec(helpText()) ?? [];
    const codes = line.split(', ').map((part) => part.split(' ')[0]);
    expect(readme.match(/(?<=^\| )\d+(?= \|)/gm)).toEqual(codes);
  });

  it('tells the steps of a drain and the grace period as they are', () => {
    const steps = [SETTINGS.endpointWaitMs, SETTINGS.drainWindowMs, SETTINGS.drainDeadlineMs];
    const seconds = steps.map(({ whenUnset }) => Number(whenUnset) / 1000);
    for (const [i, name] of ['endpoint wait', 'drain window', 'deadline'].entries()) {
      expect(readme).toContain(`| ${name} | ${seconds[i]} s |`);
    }
    const marginSeconds = 5;
    const graceSeconds = seconds.reduce((sum, one) => sum + one, marginSeconds);
    expect(readme).toContain(`terminationGracePeriodSeconds: ${graceSeconds}`);
  });

  it('tells the limits of join as they are', () => {
    const ofCharacters = (count: number) => ({ presence: { a: 'x'.repeat(count - '{"a":""}'.length) } });
    expect(readme).toContain(`At most ${MOST_ROOMS_PER_CALL} rooms in one \`join\``);
    expect(readme).toContain('at most 2048 characters of JSON');
    expect(joinOptions.safeParse(ofCharacters(2048)).success).toBe(true);
    expect(joinOptions.safeParse(ofCharacters(2049)).success).toBe(false);
  });
});

describe('the documents', () => {
  it.each(pages)('%s names only npm scripts that exist', (page) => {
    const named = [...read(page).matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)];
    const names = named.map(([, script, short]) => script ?? short ?? '');
    expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it.each(pages)('%s links only to files and headings that exist', (page) => {
    const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? page : relative(ROOT, join(ROOT, dirname(page), file));
      if (!existsSync(join(ROOT, path))) return true;
      if (anchor === undefined) return false;
      const headings = [...withoutCode(read(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
      return !headings.map(anchorOf).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('give a reason for every package, and for no other', () => {
    const listed = read('service/docs/decisions/0003-packages.md').match(/(?<=^\| `)[^`]+(?=` \|)/gm);
    expect(listed?.sort()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).sort());
  });

  it('have every module of the source on the map', () => {
    const folders = readdirSync(join(ROOT, 'service/src'), { withFileTypes: true }).filter((one) => one.isDirectory());
    const mapped = firstCells(read('service/README.md'), '## Modules').flatMap((cell) => namesIn(cell));
    expect(mapped.sort()).toEqual(folders.map(({ name }) => `${name}/`).sort());
  });

  it('point to source files that exist', () => {
    const map = withoutCode(read('service/README.md'));
    const files = [...map.matchAll(/`((?:src|test|scripts|docs)\/[\w./-]+\.\w+)`/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !existsSync(join(ROOT, 'service', file)))).toEqual([]);
  });

  it('have an entry for this version in the changelog', () => {
    expect(read('CHANGELOG.md')).toContain(`## ${version}`);
  });
});
