import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { createClientAddress, limitKey, normalise } from '../../../src/realtime/client-address.ts';

const PROXIES = ['10.0.0.0/8', '192.168.7.7', 'fd00::/8', '::1'];

type Case = readonly [what: string, remote: string | undefined, header: string | undefined, expected: string];

describe('without trusted proxies', () => {
  const addressOf = createClientAddress([]);
  it.each<Case>([
    ['the connection counts', '203.0.113.7', undefined, '203.0.113.7'],
    ['a header is not believed', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['not even from the loopback', '127.0.0.1', '198.51.100.1', '127.0.0.1'],
    ['an IPv4-mapped address is IPv4', '::ffff:203.0.113.7', undefined, '203.0.113.7'],
    ['IPv6 is lower case', '2001:DB8::7', undefined, '2001:db8::7'],
    ['a socket that is gone has none', undefined, '198.51.100.1', 'unknown'],
  ])('%s', (_what, remote, header, expected) => {
    expect(addressOf(remote, header)).toBe(expected);
  });
});

describe('with trusted proxies by address', () => {
  const addressOf = createClientAddress(PROXIES);
  it.each<Case>([
    ['the address that the proxy wrote counts', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['a connection past the proxy is its own address', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['trusted proxies in a row are skipped', '10.0.0.1', '203.0.113.7, 192.168.7.7, 10.9.9.9', '203.0.113.7'],
    ['what a client put in front is not reached', '10.0.0.1', '1.1.1.1, 10.0.0.9, 203.0.113.7', '203.0.113.7'],
    ['a client cannot pose as a proxy behind itself', '10.0.0.1', '1.1.1.1, 203.0.113.7', '203.0.113.7'],
    ['garbage stops the way, at the last that is known', '10.0.0.1', '1.1.1.1, <script>, 10.0.0.9', '10.0.0.9'],
    ['garbage alone leaves the proxy', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['an empty header leaves the proxy', '10.0.0.1', '', '10.0.0.1'],
    ['no header leaves the proxy', '10.0.0.1', undefined, '10.0.0.1'],
    ['empty entries stop the way', '10.0.0.1', '203.0.113.7,,', '10.0.0.1'],
    ['only proxies: the first of them', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['a mapped proxy is trusted', '::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['a mapped client is IPv4', '10.0.0.1', '::FFFF:203.0.113.7', '203.0.113.7'],
    ['IPv6 proxies and clients', 'fd00::1', '2001:DB8::7', '2001:db8::7'],
    ['IPv6 in brackets', '::1', '[2001:db8::7]', '2001:db8::7'],
    ['a port behind IPv4 is dropped', '10.0.0.1', '203.0.113.7:41234', '203.0.113.7'],
    ['a port behind IPv6 is dropped', '10.0.0.1', '[2001:db8::7]:41234', '2001:db8::7'],
    ['a link-local proxy with a zone is only an address', 'fe80::1%eth0', '203.0.113.7', 'fe80::1%eth0'],
    ['an IPv4 address is not in an IPv6 network', '203.0.113.7', '1.1.1.1', '203.0.113.7'],
    ['spaces and tabs do not matter', '10.0.0.1', ' \t203.0.113.7 \t', '203.0.113.7'],
    ['an octal look-alike is garbage', '10.0.0.1', '0177.0.0.1', '10.0.0.1'],
    ['a number is garbage', '10.0.0.1', '3405803783', '10.0.0.1'],
    ['a host name is garbage', '10.0.0.1', 'localhost', '10.0.0.1'],
    ['a socket that is gone is nobody', undefined, '203.0.113.7', 'unknown'],
  ])('%s', (_what, remote, header, expected) => {
    expect(addressOf(remote, header)).toBe(expected);
  });

  it('answers a header of 10,000 entries at once, and in favour of nobody', () => {
    const forged = Array.from({ length: 10_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`).join(', ');
    const start = performance.now();
    expect(addressOf('10.0.0.1', forged)).toMatch(/^10\.1\./);
    expect(addressOf('203.0.113.7', forged)).toBe('203.0.113.7');
    expect(addressOf('10.0.0.1', `${forged}, 198.51.100.1`)).toBe('198.51.100.1');
    expect(addressOf('10.0.0.1', ','.repeat(10_000))).toBe('10.0.0.1');
    expect(performance.now() - start).toBeLessThan(500);
  });
});

describe('with a number of proxies', () => {
  it.each<readonly [hops: string, ...rest: Case]>([
    ['0', 'no proxy: the connection', '203.0.113.7', '1.1.1.1', '203.0.113.7'],
    ['1', 'one proxy: what it wrote', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['1', 'what the client wrote before does not count', '10.0.0.1', '1.1.1.1, 203.0.113.7', '203.0.113.7'],
    ['2', 'two proxies: what the outer one wrote', '10.0.0.1', '1.1.1.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['3', 'fewer entries than proxies: the first', '10.0.0.1', '203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['2', 'no header: the connection', '10.0.0.1', undefined, '10.0.0.1'],
    ['1', 'garbage where the address should stand is nobody', '10.0.0.1', '<script>', 'unknown'],
    ['1', 'mapped addresses are IPv4', '::ffff:10.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
  ])('%s, %s', (hops, _what, remote, header, expected) => {
    expect(createClientAddress([hops])(remote, header)).toBe(expected);
  });
});

describe('an address', () => {
  it.each([
    ['', 'unknown'],
    [undefined, 'unknown'],
    ['a'.repeat(100_000), 'unknown'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::1]', '::1'],
    ['[::1', 'unknown'],
    ['203.0.113.7:', 'unknown'],
    ['203.0.113.7:999999', 'unknown'],
    ['203.0.113.256', 'unknown'],
    ['__proto__', 'unknown'],
    ['203.0.113.7\u0000', 'unknown'],
  ])('written %j is %s', (text, expected) => {
    expect(normalise(text)).toBe(expected);
  });
});

describe('the list of trusted proxies', () => {
  it.each([
    'banana',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '::1/129',
    '[::1]',
    '1.2.3',
    '10.0.0.0/ 8',
    '100',
  ])('does not take %j, here or in the settings', (entry) => {
    expect(() => createClientAddress([entry])).toThrow(`"${entry}"`);
    expect(() => parseConfig({ SOCKETFLEET_TRUSTED_PROXIES: entry })).toThrow(`"${entry}"`);
  });

  it.each([['10.0.0.0/8'], ['0.0.0.0/0'], ['::/0'], ['10.1.2.3'], ['fd00::1'], ['1'], ['32']])(
    'takes %j, here and in the settings',
    (entry) => {
      expect(createClientAddress([entry])).toBeTypeOf('function');
      expect(parseConfig({ SOCKETFLEET_TRUSTED_PROXIES: entry }).trustedProxies).toEqual([entry]);
    },
  );
});

describe('the key of limits per address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['unknown', 'unknown'],
  ])('of %s is %s', (address, key) => expect(limitKey(address)).toBe(key));
});
