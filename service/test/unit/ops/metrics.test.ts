import { register as defaultRegistry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Metrics } from '../../../src/contracts.ts';
import { METRICS, type MetricRow } from '../../../src/ops/metric-table.ts';
import { createMetrics } from '../../../src/ops/metrics.ts';
import { REFUSALS } from '../../../src/refusals.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const SCRAPE_LABELS = ['pod', 'namespace', 'instance', 'job', 'service', 'endpoint', 'container'];
const rows: [string, MetricRow][] = Object.entries(METRICS);

async function started() {
  const clock = createFakeClock();
  const server = createMetrics({ version: '1.2.3' }, { clock });
  await server.start();
  onTestFinished(() => server.stop());
  const value = async (series: string) => {
    const line = (await server.text()).split('\n').find((text) => text.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { ...server, clock, value };
}

/** Every verb of the port, each with ordinary values. */
function useEveryVerb(metrics: Metrics): void {
  metrics.handshake('accepted');
  metrics.connectionOpened('polling');
  metrics.connectionUpgraded();
  metrics.connectionClosed('websocket', 'transport close');
  metrics.namespaceJoined('/');
  metrics.namespaceLeft('/');
  metrics.received(10);
  metrics.sent(2, 20);
  metrics.broadcast(3, 0.002);
  metrics.answered('join', 'ok');
  metrics.refused('full');
  metrics.published('api', 'sent');
  metrics.handlerFault('/');
  metrics.recovery('recovered');
  metrics.tokenVerified('ok');
  metrics.keysFetched('ok');
  metrics.apiRequest('/api/v1/publish', 200);
  metrics.drainRemaining(5);
  metrics.drainClosed();
  metrics.observe({ brakeTokens: () => 7, bufferedBytes: () => 8, slowReaders: () => 9, ready: () => true });
}

interface Exposed {
  readonly type: string;
  readonly labels: Map<string, Set<string>>;
}

function read(text: string): Map<string, Exposed> {
  const found = new Map<string, Exposed>();
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type?.[1] && type[2]) found.set(type[1], { type: type[2], labels: new Map() });
    const sample = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line);
    if (!sample?.[1]) continue;
    const metric = found.get(sample[1]) ?? found.get(sample[1].replace(/_(?:bucket|sum|count)$/, ''));
    for (const [, label = '', value = ''] of (sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      metric?.labels.set(label, (metric.labels.get(label) ?? new Set()).add(value));
    }
  }
  return found;
}

const isOfTheProcess = (name: string) => /^socketfleet_(?:process|nodejs)_/.test(name);

describe('the metric table', () => {
  it('is what the registry exposes, both ways: names, types and labels', async () => {
    const { metrics, text, clock } = await started();
    useEveryVerb(metrics);
    clock.advance(10_000);
    const exposed = read(await text());
    const own = [...exposed].filter(([name]) => !isOfTheProcess(name));
    expect(own.map(([name, { type }]) => [name, type]).sort()).toEqual(
      rows.map(([name, { type }]) => [name, type]).sort(),
    );
    for (const [name, { labels }] of own) {
      const shown = [...labels.keys()].filter((label) => label !== 'le').sort();
      expect([name, shown]).toEqual([name, Object.keys(METRICS[name as keyof typeof METRICS].labels).sort()]);
    }
  });

  it('starts every name with socketfleet_, the metrics of the process included', async () => {
    const { text } = await started();
    const names = [...read(await text()).keys()];
    expect(names.some(isOfTheProcess)).toBe(true);
    expect(names.filter((name) => !name.startsWith('socketfleet_'))).toEqual([]);
  });

  it('collides with no label of the scrape', async () => {
    const { metrics, text } = await started();
    useEveryVerb(metrics);
    const labels = [...read(await text()).values()].flatMap((metric) => [...metric.labels.keys()]);
    expect(labels.filter((label) => SCRAPE_LABELS.includes(label))).toEqual([]);
  });

  it('follows the conventions: counters end in _total, gauges do not, and each has a sentence', () => {
    for (const [name, { type, help }] of rows) {
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(help).toMatch(/^.+\.$/);
    }
  });
});

describe('metrics', () => {
  it('turn values outside a closed list into other', async () => {
    const { metrics, text, value } = await started();
    for (let i = 0; i < 50; i++) {
      metrics.connectionOpened(`transport-${i}`);
      metrics.connectionClosed(`transport-${i}`, `reason ${i}"} 1\n`);
      metrics.answered(`event-${i}`, 'ok');
      metrics.apiRequest(`/api/v1/rooms/${i}`, 600 + i);
    }
    expect(await value('socketfleet_closes_total{transport="other",reason="other"}')).toBe(50);
    expect(await value('socketfleet_connections{transport="other"}')).toBe(0);
    expect(await value('socketfleet_answers_total{event="other",code="ok"}')).toBe(50);
    expect(await value('socketfleet_api_requests_total{route="other",status="other"}')).toBe(50);
    expect(await text()).not.toContain('transport-');
  });

  it('show the first 20 namespaces and put the rest under other, so that the sum stays right', async () => {
    const { metrics, text } = await started();
    for (let i = 0; i < 100; i++) metrics.namespaceJoined(`/nsp-${i}`);
    const values = read(await text())
      .get('socketfleet_sockets')
      ?.labels.get('nsp');
    expect(values?.size).toBe(21);
    expect(values).toContain('other');
    for (let i = 0; i < 100; i++) metrics.namespaceLeft(`/nsp-${i}`);
    const lines = (await text()).split('\n').filter((line) => line.startsWith('socketfleet_sockets{'));
    expect(lines.every((line) => line.endsWith(' 0'))).toBe(true);
  });

  it('know every refusal code and every reason of ours to close', async () => {
    const { metrics, value } = await started();
    for (const code of Object.keys(REFUSALS) as (keyof typeof REFUSALS)[]) {
      metrics.handshake(code);
      metrics.refused(code);
      expect(await value(`socketfleet_handshakes_total{outcome="${code}"}`)).toBe(1);
      expect(await value(`socketfleet_refusals_total{code="${code}"}`)).toBe(1);
    }
    metrics.connectionClosed('websocket', 'draining');
    expect(await value('socketfleet_closes_total{transport="websocket",reason="draining"}')).toBe(1);
  });

  it('follow a connection from polling to WebSocket to its end', async () => {
    const { metrics, value } = await started();
    metrics.connectionOpened('polling');
    metrics.connectionOpened('polling');
    metrics.connectionUpgraded();
    expect(await value('socketfleet_connections{transport="polling"}')).toBe(1);
    expect(await value('socketfleet_connections{transport="websocket"}')).toBe(1);
    metrics.connectionClosed('websocket', 'ping timeout');
    expect(await value('socketfleet_connections{transport="websocket"}')).toBe(0);
  });

  it('add up messages, bytes and broadcasts', async () => {
    const { metrics, value, text } = await started();
    metrics.received(10);
    metrics.received(5);
    metrics.sent(3, 300);
    metrics.broadcast(50, 0.005);
    await text();
    expect(await value('socketfleet_messages_received_total')).toBe(2);
    expect(await value('socketfleet_received_bytes_total')).toBe(15);
    expect(await value('socketfleet_messages_sent_total')).toBe(3);
    expect(await value('socketfleet_sent_bytes_total')).toBe(300);
    expect(await value('socketfleet_broadcast_recipients_bucket{le="100"}')).toBe(1);
    expect(await value('socketfleet_broadcast_recipients_bucket{le="10"}')).toBe(0);
    expect(await value('socketfleet_broadcast_seconds_bucket{le="0.01"}')).toBe(1);
  });

  it('show closed series at zero from the start, so that a first fault is a rise', async () => {
    const { value } = await started();
    expect(await value('socketfleet_key_fetches_total{outcome="error"}')).toBe(0);
    expect(await value('socketfleet_published_total{source="api",outcome="refused"}')).toBe(0);
  });

  it('read observed values at each scrape and leave out what nobody gave', async () => {
    const { metrics, value } = await started();
    expect(await value('socketfleet_ready')).toBeUndefined();
    let tokens = 3;
    metrics.observe({ brakeTokens: () => tokens });
    metrics.observe({ ready: () => false });
    expect(await value('socketfleet_brake_tokens')).toBe(3);
    tokens = 4;
    expect(await value('socketfleet_brake_tokens')).toBe(4);
    expect(await value('socketfleet_ready')).toBe(0);
    expect(await value('socketfleet_slow_readers')).toBeUndefined();
  });

  it('show event-loop delay by quantile once a window is complete', async () => {
    const { clock, value, stop } = await started();
    expect(await value('socketfleet_event_loop_delay_seconds{quantile="0.99"}')).toBeUndefined();
    clock.advance(10_000);
    expect(await value('socketfleet_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0);
    await stop();
    expect(await value('socketfleet_event_loop_delay_seconds{quantile="0.99"}')).toBeUndefined();
  });

  it('live in a registry of their own: two servers in one process do not meet', async () => {
    const [one, two] = [await started(), await started()];
    one.metrics.drainClosed();
    expect(await one.value('socketfleet_drain_closed_total')).toBe(1);
    expect(await two.value('socketfleet_drain_closed_total')).toBe(0);
    expect(await defaultRegistry.metrics()).toBe('\n');
  });

  it('measure nothing before start, and may be started twice', async () => {
    const server = createMetrics({ version: '1.2.3' }, { clock: createFakeClock() });
    expect([...read(await server.text()).keys()].filter(isOfTheProcess)).toEqual([]);
    await server.start();
    await server.start();
    await server.stop();
    await server.stop();
    expect(await server.text()).toContain('socketfleet_build_info{version="1.2.3"} 1');
    expect(server.contentType).toContain('text/plain');
  });
});
