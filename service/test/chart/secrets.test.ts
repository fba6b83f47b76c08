import { expect, it } from 'vitest';
import { describeWithHelm, render, renderText } from './support/helm.ts';
import { at, envOf, find, type KubeObject, listAt, podsOf } from './support/kube-object.ts';

const FOLDER = '/etc/socketfleet/secrets';

/** file -> Secret and key, of the projected volume of the server. */
function mounted(objects: readonly KubeObject[]): Record<string, string> {
  const volumes = listAt(find(objects, 'Deployment'), 'spec', 'template', 'spec', 'volumes');
  const sources = volumes.flatMap((volume) => listAt(volume, 'projected', 'sources'));
  return Object.fromEntries(
    sources.map((source) => {
      const item = at(source, 'secret', 'items', 0);
      return [String(at(item, 'path')), `${at(source, 'secret', 'name')}/${at(item, 'key')}`];
    }),
  );
}

describeWithHelm('secrets of the chart', () => {
  it('are generated where none is named: one for tokens, one for the API, one for Redis', async () => {
    const objects = await render();
    const data = at(find(objects, 'Secret'), 'data') as Record<string, string>;
    expect(Object.keys(data).sort()).toEqual(['api-key', 'jwt-secret', 'redis-password']);
    const plain = Object.values(data).map((value) => Buffer.from(value, 'base64').toString());
    expect(new Set(plain).size).toBe(3);
    for (const value of plain) expect(value).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(mounted(objects)).toEqual({
      'jwt-secret': 'sf-socketfleet-secrets/jwt-secret',
      'api-key': 'sf-socketfleet-secrets/api-key',
      'redis-password': 'sf-socketfleet-secrets/redis-password',
    });
  });

  it('outlive the release and are in none of its revisions, so that nothing brings an old value back', async () => {
    const { annotations } = find(await render(), 'Secret').metadata;
    expect(annotations).toEqual({
      'helm.sh/hook': 'pre-install,pre-upgrade',
      'helm.sh/hook-delete-policy': 'before-hook-creation',
      'helm.sh/resource-policy': 'keep',
    });
  });

  it('are no part of any checksum: a rotation restarts nobody', async () => {
    const [first, second] = await Promise.all([renderText(), renderText()]);
    const withoutSecret = (text: string) =>
      text
        .split(/^---$/m)
        .filter((part) => !part.includes('kind: Secret'))
        .join('---');
    expect(first).not.toBe(second);
    expect(withoutSecret(first)).toBe(withoutSecret(second));
  });

  it('reach the server as files, never as values', async () => {
    const objects = await render();
    const env = envOf(at(find(objects, 'Deployment'), 'spec', 'template'));
    expect(env).toMatchObject({
      SOCKETFLEET_JWT_SECRET_FILE: `${FOLDER}/jwt-secret`,
      SOCKETFLEET_API_KEY_FILE: `${FOLDER}/api-key`,
      SOCKETFLEET_REDIS_PASSWORD_FILE: `${FOLDER}/redis-password`,
    });
    for (const { pod } of podsOf(objects)) expect(JSON.stringify(pod)).not.toMatch(/secretKeyRef|subPath/);
  });

  it('are not generated where all are named', async () => {
    const mine = (key?: string) => ({ existingSecret: { name: 'mine', ...(key ? { key } : {}) } });
    const objects = await render({ auth: mine('tokens'), api: mine(), redis: { auth: mine('pw') } });
    expect(objects.map(({ kind }) => kind)).not.toContain('Secret');
    expect(mounted(objects)).toEqual({
      'jwt-secret': 'mine/tokens',
      'api-key': 'mine/api-key',
      'redis-password': 'mine/pw',
    });
    const redis = listAt(find(objects, 'StatefulSet'), 'spec', 'template', 'spec', 'volumes');
    expect(redis).toContainEqual({
      name: 'password',
      secret: { secretName: 'mine', items: [{ key: 'pw', path: 'redis-password' }] },
    });
  });

  it('leave out the shared one where public keys or a key set check tokens', async () => {
    const auth = { jwksUrl: 'https://login.example.com/keys', publicKeySecret: { name: 'keys' } };
    const objects = await render({ auth });
    expect(Object.keys(at(find(objects, 'Secret'), 'data') as object).sort()).toEqual(['api-key', 'redis-password']);
    expect(mounted(objects)).toMatchObject({ 'jwt-public-key': 'keys/jwt-public-key' });
    expect(envOf(at(find(objects, 'Deployment'), 'spec', 'template'))).toMatchObject({
      SOCKETFLEET_AUTH: 'jwt',
      SOCKETFLEET_JWKS_URL: 'https://login.example.com/keys',
      SOCKETFLEET_JWT_PUBLIC_KEY_FILE: `${FOLDER}/jwt-public-key`,
    });
  });

  it('of a Redis of your own come from your Secrets, with files for TLS', async () => {
    const objects = await render({
      redis: { enabled: false },
      externalRedis: {
        urls: ['rediss://a:26379', 'rediss://b:26379'],
        topology: 'sentinel',
        sentinelName: 'chat',
        username: 'chat',
        passwordSecret: { name: 'login', key: 'pw' },
        sentinelPasswordSecret: { name: 'sentinels' },
        tls: { caSecret: { name: 'ca' }, clientSecret: { name: 'client' } },
      },
    });
    expect(envOf(at(find(objects, 'Deployment'), 'spec', 'template'))).toMatchObject({
      REDIS_URL: 'rediss://a:26379,rediss://b:26379',
      SOCKETFLEET_REDIS_TOPOLOGY: 'sentinel',
      SOCKETFLEET_REDIS_SENTINEL_NAME: 'chat',
      SOCKETFLEET_REDIS_USERNAME: 'chat',
      SOCKETFLEET_REDIS_PREFIX: 'chat.sf-socketfleet',
      SOCKETFLEET_REDIS_PASSWORD_FILE: `${FOLDER}/redis-password`,
      SOCKETFLEET_REDIS_SENTINEL_PASSWORD_FILE: `${FOLDER}/sentinel-password`,
      SOCKETFLEET_REDIS_TLS_CA: `${FOLDER}/redis-ca.crt`,
      SOCKETFLEET_REDIS_TLS_CERT: `${FOLDER}/redis-tls.crt`,
      SOCKETFLEET_REDIS_TLS_KEY: `${FOLDER}/redis-tls.key`,
    });
    expect(mounted(objects)).toMatchObject({
      'redis-password': 'login/pw',
      'sentinel-password': 'sentinels/sentinel-password',
      'redis-ca.crt': 'ca/ca.crt',
      'redis-tls.crt': 'client/tls.crt',
      'redis-tls.key': 'client/tls.key',
    });
    expect(objects.map(({ kind }) => kind)).not.toContain('StatefulSet');
  });

  it('keep installations on one Redis apart, also those with long names', async () => {
    const values = { redis: { enabled: false }, externalRedis: { urls: ['redis://r'] } };
    const prefix = async (namespace: string) =>
      envOf(at(find(await render(values, { namespace, release: 'r'.repeat(40) }), 'Deployment'), 'spec', 'template'))
        .SOCKETFLEET_REDIS_PREFIX;
    const [one, other] = [await prefix(`${'n'.repeat(62)}a`), await prefix(`${'n'.repeat(62)}b`)];
    expect(one).toHaveLength(64);
    expect(one).not.toBe(other);
  });
});
