// The reference tables of the README, as Markdown. Plain data in, text out: `npm run docs` brings the data from dist,
// the test that compares brings it from the sources.

// What is limited, by which setting, and what happens beyond it.
const LIMITS = [
  ['connections of one process', 'maxConnections', 'handshake: `full`'],
  ['new sessions per second', 'handshakesPerSecond', 'handshake: `brake`'],
  [
    'connections of one address that have joined no namespace yet',
    'sessionsPerAddress',
    'handshake: `too_many_sessions`',
  ],
  ['time to join a namespace, in ms', 'connectTimeoutMs', 'closed'],
  ['size of a message or polling body, in bytes', 'maxPayloadBytes', 'closed, or HTTP 413 while polling'],
  [
    'messages per second of one connection',
    'messagesPerSecond',
    'ack: `rate_limited`; who goes on is closed with 4429',
  ],
  ['bytes per second of one connection', 'bytesPerSecond', 'closed with 4429'],
  ['rooms of one socket', 'roomsPerSocket', 'ack: `too_many_rooms`'],
  ['namespaces of one connection', 'namespacesPerConnection', 'connect_error: `too_many_namespaces`'],
  ['bytes that a client has not read', 'slowReaderHardBytes', 'cut'],
  ['body of an HTTP request, in bytes', 'apiMaxBodyBytes', 'HTTP 413: `too_large`'],
];

/** Every generated section of the README by name. `settings`, `refusals` and `metrics` are the tables of the code, `openapi` the parsed description. */
export function renderSections({ settings, refusals, metrics, openapi }) {
  return {
    limits: limitsTable(settings, openapi.components.schemas),
    settings: settingsTable(settings),
    refusals: refusalsTable(refusals),
    endpoints: endpointsTable(openapi.paths),
    metrics: metricsTable(metrics),
  };
}

/** Puts each section between its markers, `<!-- generated: name -->` and `<!-- end: name -->`. Throws when a marker is missing. */
export function replaceSections(text, sections) {
  return Object.entries(sections).reduce((result, [name, section]) => {
    const [before, rest] = cut(result, `<!-- generated: ${name} -->`);
    const [, after] = cut(rest, `<!-- end: ${name} -->`);
    return `${before}<!-- generated: ${name} -->\n${section}\n<!-- end: ${name} -->${after}`;
  }, text);
}

function cut(text, marker) {
  const at = text.indexOf(marker);
  if (at < 0) throw new Error(`the marker ${marker} is missing`);
  return [text.slice(0, at), text.slice(at + marker.length)];
}

function limitsTable(settings, { RoomName, Publish, Batch }) {
  const { rooms, event, id, except } = Publish.properties;
  return table(
    ['What', 'At most', 'Set by', 'Beyond it'],
    [
      ...LIMITS.map(([what, key, beyond]) => [what, settings[key].whenUnset, code(settings[key].env), beyond]),
      ['characters of a room name', RoomName.maxLength, 'fixed', '`bad_room`'],
      ['characters of an event name', event.maxLength, 'fixed', '`bad_event`'],
      ['characters of an idempotency key', id.maxLength, 'fixed', '`bad_request`'],
      ['rooms of one publish over HTTP', rooms.maxItems, 'fixed', '`bad_request`'],
      ['sockets in `except`', except.maxItems, 'fixed', '`bad_request`'],
      ['messages of one batch', Batch.properties.messages.maxItems, 'fixed', '`bad_request`'],
    ],
  );
}

function settingsTable(settings) {
  return table(
    ['Variable', 'Type', 'Default', 'Meaning'],
    Object.values(settings).map(({ env, type, whenUnset, about, secret }) => [
      secret ? `${code(env)}, ${code(`${env}_FILE`)}` : code(env),
      type,
      whenUnset === '' ? '' : code(whenUnset),
      about,
    ]),
  );
}

function refusalsTable(refusals) {
  return table(
    ['Code', 'HTTP', 'Close', 'Retry', 'Message'],
    Object.entries(refusals).map(([name, { status, close, retry, message }]) => [
      code(name),
      status,
      close ?? '',
      retry ? 'yes' : 'no',
      message,
    ]),
  );
}

function endpointsTable(paths) {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [method.toUpperCase(), path, operation]),
  );
  return table(
    ['Request', 'Key', 'What it does', 'Answers'],
    operations.map(([method, path, { summary, security, responses }]) => [
      code(`${method} ${path}`),
      security?.length === 0 ? 'no' : 'yes',
      summary,
      Object.keys(responses).join(' '),
    ]),
  );
}

function metricsTable(metrics) {
  return table(
    ['Metric', 'Type', 'Labels', 'Meaning'],
    Object.entries(metrics).map(([name, { type, labels, help }]) => [
      code(name),
      type,
      Object.keys(labels).map(code).join(', '),
      help,
    ]),
  );
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n').replaceAll('|  |', '| |');
}

function code(text) {
  return `\`${text}\``;
}
