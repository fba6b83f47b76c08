import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { CHART, describeWithHelm, hasHelm, render } from './support/helm.ts';
import { at, find, listAt } from './support/kube-object.ts';
import { problemsOf } from './support/promql.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

async function rules(values: object = {}): Promise<Rule[]> {
  const objects = await render({ prometheusRule: { enabled: true }, ...values });
  return listAt(find(objects, 'PrometheusRule'), 'spec', 'groups', 0, 'rules') as Rule[];
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(readFileSync(join(CHART, 'dashboards/socketfleet.json'), 'utf8')) as unknown;
const panels = listAt(dashboard, 'panels') as Panel[];

describe('the dashboard', () => {
  it('asks for metrics, labels and values that there are', () => {
    const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
    expect(queries.length).toBeGreaterThan(30);
    expect(queries.flatMap(({ title, expr }) => problemsOf(expr).map((problem) => `${title}: ${problem}`))).toEqual([]);
  });

  it('keeps to the chosen release in every query', () => {
    for (const { targets = [] } of panels) {
      for (const { expr } of targets) {
        const selectors = expr.match(/socketfleet_\w+(\{[^}]*\})?/g) ?? [];
        for (const selector of selectors) expect(selector).toContain('namespace="$namespace",service="$service"');
      }
    }
  });

  it('says of every panel what it means, and lays none over another', () => {
    const taken = new Set<string>();
    for (const { title, type, description, gridPos } of panels) {
      if (type !== 'row') expect(description, title).toMatch(/\.$/);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), `${title} at ${x} ${y}`).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  });
});

describe('the check of queries', () => {
  it.each([
    ['socketfleet_conections', 'no metric socketfleet_conections'],
    ['sum(socketfleet_connections{kind="x"})', 'socketfleet_connections has no label kind'],
    ['socketfleet_connections{transport="carrier pigeon"}', 'transport of socketfleet_connections is never'],
    ['rate(socketfleet_redis_lag_seconds[5m])', 'socketfleet_redis_lag_seconds is a histogram'],
    ['rate(socketfleet_ready[5m])', 'socketfleet_ready is a gauge'],
    ['sum by (nsp) (socketfleet_connections)', 'nothing there has a label nsp'],
  ])('finds what is wrong with %s', (expr, problem) => {
    expect(problemsOf(expr).join()).toContain(problem);
  });
});

describeWithHelm('alerts', () => {
  it('ask for metrics, labels and values that there are', async () => {
    const found = await rules();
    expect(found.flatMap(({ alert, expr }) => problemsOf(expr).map((problem) => `${alert}: ${problem}`))).toEqual([]);
  });

  it('keep to their own release', async () => {
    for (const { expr } of await rules()) {
      const selectors = expr.match(/socketfleet_\w+(\{[^}]*\})?/g) ?? [];
      for (const selector of selectors) {
        expect(selector).toContain('{namespace="chat",service="sf-socketfleet-headless"');
      }
    }
  });

  it('each lead to a section of the runbooks, and each section has its alert', async () => {
    const text = readFileSync(join(CHART, 'docs/runbooks.md'), 'utf8');
    const anchors = [...text.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replace(/ /g, '-'));
    const found = await rules();
    const linked = found.map(({ annotations }) => annotations.runbook_url?.split('#')[1]);
    expect([...linked].sort()).toEqual([...anchors].sort());
    for (const { alert } of found) expect(text).toContain(`\`${alert}\``);
    const [elsewhere] = await rules({ prometheusRule: { enabled: true, runbookUrl: 'https://wiki/sf' } });
    expect(elsewhere?.annotations.runbook_url).toBe('https://wiki/sf#reconnect-storm');
  });

  it('name panels of the dashboard where they say what to look at', () => {
    const text = readFileSync(join(CHART, 'docs/runbooks.md'), 'utf8');
    const states = ['Pending', 'CrashLoopBackOff', 'Running, not ready', 'Terminating'];
    const named = [...text.matchAll(/(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)/g)].map(([, name = '']) => name);
    const known = new Set([...panels.map(({ title }) => title.replace(/, p99$/, '')), ...states]);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('go by the values: the brake, the least number of servers, the length of a drain', async () => {
    const found = await rules({
      replicaCount: 5,
      settings: { handshakesPerSecond: 50 },
      drain: { windowSeconds: 100, deadlineSeconds: 10 },
    });
    const rule = (name: string) => found.find(({ alert }) => alert === `Socketfleet${name}`);
    expect(rule('ReconnectStorm')?.expr).toContain('> 25 * count(');
    expect(rule('ServersMissing')?.expr).toMatch(/< 5$/);
    expect(rule('DrainDidNotFinish')?.for).toBe('115s');
  });

  it('say nothing of Redis where there is none', async () => {
    const found = await rules({ replicaCount: 1, redis: { enabled: false } });
    expect(found.map(({ alert }) => alert).filter((name) => /Redis|Canary|Deaf/.test(name))).toEqual([]);
  });

  it('see a server that drains, because all servers are scraped and not only those that are ready', async () => {
    const objects = await render({ serviceMonitor: { enabled: true, labels: { release: 'p' } } });
    const monitor = find(objects, 'ServiceMonitor');
    expect(monitor.metadata.labels.release).toBe('p');
    const wanted = at(monitor, 'spec', 'selector', 'matchLabels') as Record<string, string>;
    const services = objects.filter(({ kind, metadata }) => {
      return kind === 'Service' && Object.entries(wanted).every(([key, value]) => metadata.labels[key] === value);
    });
    expect(services.map(({ metadata }) => metadata.name)).toEqual(['sf-socketfleet-headless']);
    expect(at(monitor, 'spec', 'endpoints')).toEqual([{ port: 'internal', path: '/metrics', interval: '15s' }]);
  });

  it('come with the dashboard for Grafana', async () => {
    const map = find(await render({ dashboard: { enabled: true } }), 'ConfigMap', 'sf-socketfleet-dashboard');
    expect(map.metadata.labels.grafana_dashboard).toBe('1');
    expect(JSON.parse(String(at(map, 'data', 'sf-socketfleet.json')))).toEqual(dashboard);
  });
});

const hasPromtool = spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0;
const isMissing = !hasPromtool ? ' (promtool is not on the PATH; Debian has it in prometheus)' : '';

describe.skipIf(!hasPromtool || !hasHelm)(`alerts in Prometheus' own eyes${isMissing}`, () => {
  it('are well formed, fire when they should, and stay silent over a rollout', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'socketfleet-rules-'));
    try {
      writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'all', rules: await rules() }] }));
      writeFileSync(join(folder, 'tests.yaml'), readFileSync(join(import.meta.dirname, 'alerts.yaml')));
      for (const args of [
        ['check', 'rules', 'rules.yaml'],
        ['test', 'rules', 'tests.yaml'],
      ]) {
        const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
        expect(status, `${stdout}${stderr}`).toBe(0);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
