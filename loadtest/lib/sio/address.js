/** Addresses of Engine.IO requests. k6 has no `URL`. */

const SHAPE = /^(https?|wss?):\/\/(\[[0-9a-fA-F:.]+\]|[^\s/?#:@[\]]+)(?::(\d{1,5}))?(\/[^\s?#]*)?$/;

/**
 * `{ origin, nsp }` of what `connect` takes: `http://host:8080/chat` is namespace `/chat` of that host.
 * Throws an Error that names the problem.
 */
export function parseAddress(url) {
  const match = SHAPE.exec(url);
  if (match === null || Number(match[3] ?? 1) > 65_535 || match[3] === '0') {
    throw new Error(`"${url}" is not an address like http://host:port or https://host`);
  }
  const [, scheme, host, port, path = '/'] = match;
  const isSecure = scheme === 'https' || scheme === 'wss';
  return { origin: `${isSecure ? 'https' : 'http'}://${host}${port === undefined ? '' : `:${port}`}`, nsp: path };
}

/** Address of one request of a session; `sid` is absent in the first. */
export function engineUrl({ origin, path, query }, transport, sid) {
  const params = { EIO: 4, transport, ...query, ...(sid === undefined ? {} : { sid }) };
  const pairs = Object.entries(params).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  const base = transport === 'websocket' ? origin.replace(/^http/, 'ws') : origin;
  return `${base}${path.replace(/\/$/, '')}/?${pairs.join('&')}`;
}
