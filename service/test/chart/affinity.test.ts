import { expect, it } from 'vitest';
import { describeWithHelm, render } from './support/helm.ts';
import { at, find } from './support/kube-object.ts';

const ingress = { enabled: true, hosts: ['chat.example.com'], annotations: { own: 'x' } };
const tls = [{ secretName: 'tls', hosts: ['chat.example.com'] }];

async function annotations(values: object) {
  const objects = await render(values);
  return {
    ingress: find(objects, 'Ingress').metadata.annotations,
    service: find(objects, 'Service', 'sf-socketfleet').metadata.annotations,
  };
}

describeWithHelm('cookie affinity', () => {
  it('of HAProxy Ingress stands on the Ingress and names the pod by its UID', async () => {
    const prefix = 'haproxy-ingress.github.io';
    expect(await annotations({ ingress, affinity: { provider: 'haproxy' } })).toEqual({
      ingress: {
        own: 'x',
        [`${prefix}/affinity`]: 'cookie',
        [`${prefix}/session-cookie-name`]: 'socketfleet',
        [`${prefix}/session-cookie-strategy`]: 'insert',
        [`${prefix}/session-cookie-value-strategy`]: 'pod-uid',
        [`${prefix}/session-cookie-dynamic`]: 'false',
        [`${prefix}/session-cookie-preserve`]: 'true',
        [`${prefix}/session-cookie-keywords`]: 'indirect nocache httponly attr SameSite=Lax',
      },
      service: {},
    });
  });

  it('of HAProxy Ingress is secure with TLS, and for other sites', async () => {
    const keywords = 'haproxy-ingress.github.io/session-cookie-keywords';
    const secure = await annotations({ ingress: { ...ingress, tls }, affinity: { provider: 'haproxy' } });
    expect(secure.ingress[keywords]).toBe('indirect nocache httponly secure attr SameSite=Lax');
    const cross = await annotations({ ingress, affinity: { provider: 'haproxy', sameSite: 'None' } });
    expect(cross.ingress['haproxy-ingress.github.io/session-cookie-same-site']).toBe('true');
    expect(cross.ingress).not.toHaveProperty([keywords]);
  });

  it("of HAProxy Technologies' controller stands on the Service", async () => {
    expect(await annotations({ ingress, affinity: { provider: 'haproxytech', cookieName: 'route' } })).toEqual({
      ingress: { own: 'x' },
      service: { 'haproxy.org/cookie-persistence': 'route' },
    });
  });

  it('of Traefik stands on the Service', async () => {
    const prefix = 'traefik.ingress.kubernetes.io/service.sticky.cookie';
    const values = { ingress: { ...ingress, tls }, affinity: { provider: 'traefik' } };
    expect(await annotations(values)).toEqual({
      ingress: { own: 'x' },
      service: {
        [prefix]: 'true',
        [`${prefix}.name`]: 'socketfleet',
        [`${prefix}.httponly`]: 'true',
        [`${prefix}.secure`]: 'true',
        [`${prefix}.samesite`]: 'lax',
        [`${prefix}.path`]: '/socket.io/',
      },
    });
  });

  it('of Traefik is secure for other sites, which browsers demand', async () => {
    const { service } = await annotations({ ingress, affinity: { provider: 'traefik', sameSite: 'None' } });
    expect(service).toMatchObject({
      'traefik.ingress.kubernetes.io/service.sticky.cookie.secure': 'true',
      'traefik.ingress.kubernetes.io/service.sticky.cookie.samesite': 'none',
    });
  });

  it('of others is what you write yourself, and your word wins over a preset', async () => {
    const service = { annotations: { 'haproxy.org/cookie-persistence': 'mine' } };
    const written = await annotations({ ingress, service, affinity: { provider: 'haproxytech' } });
    expect(written.service).toEqual({ 'haproxy.org/cookie-persistence': 'mine' });
    expect((await annotations({ ingress, service: { annotations: { a: 'b' } } })).service).toEqual({ a: 'b' });
  });

  it('needs no pod to be placed anywhere: the two meanings of the word stay apart', async () => {
    const objects = await render({ ingress, affinity: { provider: 'haproxy' } });
    expect(at(find(objects, 'Deployment'), 'spec', 'template', 'spec', 'affinity')).toBeUndefined();
  });
});
