import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config.ts';
import { SETTINGS } from '../../src/settings.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { CI_VALUES } from './support/ci-values.ts';
import { CHART, describeWithHelm, render } from './support/helm.ts';
import { at, envOf, find } from './support/kube-object.ts';

/** Settings that have a value of their own in the chart, or that the chart decides. */
const ELSEWHERE = new Set([
  'port',
  'host',
  'logFormat',
  'pod',
  'internalPort',
  'internalHost',
  'apiKey',
  'app',
  'auth',
  'jwtSecret',
  'jwtPublicKey',
  'jwksUrl',
  'jwtIssuer',
  'jwtAudience',
  'redisUrl',
  'redisTopology',
  'redisSentinelName',
  'redisSentinelPassword',
  'redisUsername',
  'redisPassword',
  'redisTlsCa',
  'redisTlsCert',
  'redisTlsKey',
  'peers',
  'endpointWaitMs',
  'drainWindowMs',
  'drainDeadlineMs',
  // Nothing remembers over Redis yet, so the chart does not offer it.
  'recovery',
  'recoveryWindowMs',
]);

interface SettingSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
}

const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as unknown;
const offered = at(schema, 'properties', 'settings', 'properties') as Record<string, SettingSchema>;
const rows = Object.entries(SETTINGS);
const folder = mkdtempSync(join(tmpdir(), 'socketfleet-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The server's environment, with files and addresses as a pod would have them. */
function livingEnv(env: Record<string, string>): Record<string, string> {
  const fields: Record<string, string> = { 'status.podIP': '10.1.2.3', 'metadata.name': 'sf-socketfleet-abc' };
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (!value.startsWith('/etc/socketfleet/secrets/')) return [name, fields[value] ?? value];
      const file = join(folder, basename(value));
      const url = value.endsWith('redis-url') ? 'redis://10.0.0.1,redis://10.0.0.2' : undefined;
      writeFileSync(file, url ?? 'a-secret-of-more-than-thirty-two-bytes');
      return [name, file];
    }),
  );
}

describeWithHelm('settings of the chart', () => {
  it('are every setting of the server that the chart does not decide', () => {
    const expected = rows.map(([key]) => key).filter((key) => !ELSEWHERE.has(key));
    expect(Object.keys(offered).sort()).toEqual(expected.sort());
  });

  it('reach the server under its names', async () => {
    const settings = Object.fromEntries(
      Object.entries(offered).map(([key, rule]) => [key, rule.enum?.at(-2) ?? rule.enum?.[0] ?? rule.maximum ?? true]),
    );
    const values = {
      ...settings,
      maxPayloadBytes: 100_000,
      origins: ['https://a.example.com'],
      trustedProxies: [2],
      redisPrefix: 'mine',
    };
    const env = envOf(
      at(
        find(await render({ settings: values, autoscaling: { connectionsPerPod: 1 } }), 'Deployment'),
        'spec',
        'template',
      ),
    );
    for (const [key, row] of rows) if (key in offered) expect(env, key).toHaveProperty(row.env);
    expect(env.SOCKETFLEET_BYTES_PER_SECOND).toBe('1000000000');
    expect(env.SOCKETFLEET_READY_WHILE_DRAINING).toBe('on');
    expect(env.SOCKETFLEET_TRUSTED_PROXIES).toBe('2');
    expect(() => parseConfig(livingEnv(env))).not.toThrow();
  });

  it('have the same bounds in both places', () => {
    for (const [key, row] of rows) {
      const { minimum, maximum } = offered[key] ?? {};
      if (minimum === undefined || maximum === undefined) continue;
      const takes = (n: number) => row.parse.safeParse(String(n)).success;
      expect([key, takes(minimum), takes(maximum)]).toEqual([key, true, true]);
      expect([key, takes(minimum - 1), takes(maximum + 1)]).toEqual([key, false, false]);
    }
  });

  it('offer the same choices in both places', () => {
    for (const [key, row] of rows) {
      const choices = offered[key]?.enum?.filter((choice) => choice !== null);
      if (choices === undefined) continue;
      for (const choice of choices) expect([key, row.parse.safeParse(choice).success]).toEqual([key, true]);
      const all = row.type.includes('|') ? row.type.split('|') : choices;
      expect([key, [...choices].sort()]).toEqual([key, [...all].sort()]);
    }
  });

  it('begin with what the server has unset, where values.yaml names a number', () => {
    const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as { settings: Record<string, unknown> };
    for (const [key, row] of rows) {
      const value = values.settings[key];
      if (typeof value === 'number') expect([key, String(value)]).toEqual([key, row.whenUnset]);
    }
  });

  it('are refused by the chart whenever the server would refuse them, whatever numbers they are', async () => {
    const random = seededRandom(7);
    const numbers = Object.entries(offered).filter(([, rule]) => rule.maximum !== undefined);
    let refused = 0;
    for (let round = 0; round < 30; round++) {
      const settings = Object.fromEntries(
        numbers
          .filter(() => random() < 0.4)
          .map(([key, { minimum = 0, maximum = 0 }]) => [
            key,
            Math.floor(minimum + (maximum - minimum) * random() ** 8),
          ]),
      );
      const env = await render({ settings }).then(
        (objects) => envOf(at(find(objects, 'Deployment'), 'spec', 'template')),
        (error: Error) => {
          refused++;
          expect(error.message).toMatch(/^ {2}- settings\./m);
          return undefined;
        },
      );
      if (env !== undefined) expect(() => parseConfig(livingEnv(env)), JSON.stringify(settings)).not.toThrow();
    }
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(30);
  });

  it.each(CI_VALUES)('make an environment that the server takes with $name', async ({ file }) => {
    const env = envOf(at(find(await render({}, { files: [file] }), 'Deployment'), 'spec', 'template'));
    const config = parseConfig(livingEnv(env));
    expect(config.internalHost).toBe('10.1.2.3');
    expect(config.pod).toBe('sf-socketfleet-abc');
    expect(config.readyWhileDraining).toBe(true);
    expect(config.host).toBe('::');
  });

  it.each(CI_VALUES)('name nothing twice with $name', async ({ file }) => {
    const env = at(
      find(await render({}, { files: [file] }), 'Deployment'),
      'spec',
      'template',
      'spec',
      'containers',
      0,
    );
    const names = (at(env, 'env') as { name: string }[]).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
