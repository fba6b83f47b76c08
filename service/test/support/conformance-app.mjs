/**
 * The app module and the settings under which the public protocol suites run: what a client sends comes back as it was,
 * and nothing else is ever sent.
 */

/** Settings of the profile; what the environment names already stays. */
export const CONFORMANCE_ENV = {
  SOCKETFLEET_PING_INTERVAL_MS: '300',
  SOCKETFLEET_PING_TIMEOUT_MS: '200',
  SOCKETFLEET_MAX_PAYLOAD_BYTES: '1000000',
  SOCKETFLEET_CONNECT_TIMEOUT_MS: '1000',
  SOCKETFLEET_ORIGINS: '*',
  SOCKETFLEET_AUTH: 'none',
  SOCKETFLEET_RECOVERY: 'off',
  SOCKETFLEET_DEMO: 'off',
  SOCKETFLEET_HANDSHAKES_PER_SECOND: '0',
  SOCKETFLEET_SESSIONS_PER_ADDRESS: '0',
  SOCKETFLEET_MESSAGES_PER_SECOND: '0',
  SOCKETFLEET_BYTES_PER_SECOND: '0',
};

/** Unless it is unset or empty, a bare Engine.IO server answers on /engine.io/ of the same port. */
export const ENGINE_SWITCH = 'CONFORMANCE_ENGINE';

/** @param {import('socket.io').Server} io */
export default async function conformance(io) {
  for (const name of ['/', '/custom']) {
    io.of(name).on('connection', (socket) => {
      socket.emit('auth', socket.handshake.auth);
    });
  }
  io.on('connection', (socket) => {
    socket.on('message', (...args) => socket.emit('message-back', ...args));
    socket.on('message-with-ack', (...args) => args.at(-1)(...args.slice(0, -1)));
  });
  if (process.env[ENGINE_SWITCH]) await echoEngine(io.httpServer);
}

async function echoEngine(http) {
  const { Server } = await import('engine.io');
  const engine = new Server({ pingInterval: 300, pingTimeout: 200, maxHttpBufferSize: 1e6, cors: { origin: '*' } });
  engine.on('connection', (connection) => {
    connection.on('data', (data) => connection.send(data));
  });
  // The Socket.IO server ends upgrades that nobody answers; two such watchmen would end each other's.
  engine.attach(http, { path: '/engine.io/', destroyUpgrade: false });
}
