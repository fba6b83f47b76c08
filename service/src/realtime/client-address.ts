/** Whose connection is this? The right-most address that no trusted proxy wrote. Pure. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** Decides from the address of the connection and the X-Forwarded-For header. */
export type ClientAddress = (remoteAddress: string | undefined, forwardedFor: string | undefined) => string;

/**
 * `trusted` is a list of addresses and CIDRs, or one number: how many proxies stand in front.
 * Throws an Error that names the entry which is neither. An unknown address is `unknown`.
 */
export function createClientAddress(trusted: readonly string[]): ClientAddress {
  const hops = trusted.length === 1 && /^\d{1,2}$/.test(trusted[0] ?? '') ? Number(trusted[0]) : undefined;
  if (hops !== undefined) return (remote, header) => byHops(normalise(remote), split(header), hops);
  if (trusted.length === 0) return (remote) => normalise(remote);
  const proxies = blockList(trusted);
  return (remote, header) => byProxies(normalise(remote), split(header), proxies);
}

/** The X-Forwarded-For header of a request, whole. */
export function forwardedFor(req: IncomingMessage): string | undefined {
  const header = req.headers['x-forwarded-for'];
  return Array.isArray(header) ? header.join(',') : header;
}

/** IPv4 in IPv6 clothes is IPv4; a port behind it is dropped; anything that is no address is `unknown`. */
export function normalise(address: string | undefined): string {
  const text = withoutPort((address ?? '').trim());
  const plain = text.toLowerCase().startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text;
  return isIP(plain) ? plain.toLowerCase() : 'unknown';
}

/** What limits per address count by: an IPv4 address, or the /64 of an IPv6 one, because a single customer has at least that. */
export function limitKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const ending = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - ending.length);
  const whole = [...groups, ...Array<string>(zeros).fill('0'), ...ending];
  return `${whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

// Some proxies write the port of the client as well: 203.0.113.7:41234 or [2001:db8::7]:41234.
function withoutPort(text: string): string {
  return /^\[(.+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
}

function split(header: string | undefined): string[] {
  return header === undefined ? [] : header.split(',').slice(-32).map(normalise);
}

function byHops(remote: string, chain: readonly string[], hops: number): string {
  return [...chain, remote].at(-1 - hops) ?? chain[0] ?? remote;
}

function byProxies(remote: string, chain: readonly string[], proxies: BlockList): string {
  let client = remote;
  for (const next of [...chain].reverse()) {
    if (!isTrusted(client, proxies) || next === 'unknown') return client;
    client = next;
  }
  return client;
}

function isTrusted(address: string, proxies: BlockList): boolean {
  return address !== 'unknown' && proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function blockList(entries: readonly string[]): BlockList {
  const proxies = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    // Number('') is 0, and "10.0.0.0/" would trust everybody.
    const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (family === 0 || rest.length > 0 || !(bits <= most)) {
      throw new Error(`"${entry}" is no address, CIDR or number of hops`);
    }
    proxies.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return proxies;
}
