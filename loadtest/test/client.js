/** What `lib/sio.js` does against a server, one case a run: `k6 run -e URL=... -e CASE=... client.js` prints `RESULT {json}`. */
import { connect } from '../lib/sio.js';

export const options = { vus: 1, iterations: 1 };

const { URL: url, CASE, TRANSPORTS = 'polling,websocket' } = __ENV;
const transports = TRANSPORTS.split(',');
const FAST = { reconnectionDelay: 50, reconnectionDelayMax: 200 };

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

async function until(condition, what = 'the condition') {
  const end = Date.now() + 8_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await wait(10);
  }
}

const opened = [];

function open(nsp, options) {
  const socket = connect(url + nsp, { transports, ...FAST, ...options });
  opened.push(socket);
  return socket;
}

async function joined(options = {}, nsp = '') {
  const socket = open(nsp, options);
  socket.io.seen = [];
  for (const name of ['ping', 'upgrade', 'request'])
    socket.io.on(name, (detail) => socket.io.seen.push([name, detail]));
  await event(socket, 'connect');
  return socket;
}

const cases = {
  async acks() {
    const socket = await joined();
    const answer = await socket.emitWithAck('echo', { text: 'käse 😀', list: [1, null, true] });
    const late = await socket
      .timeout(100)
      .emitWithAck('silent')
      .catch((error) => error.message);
    const viaCallback = await new Promise((resolve) => socket.emit('echo', 7, resolve));
    const asked = await new Promise((resolve) => {
      socket.on('question', (text, reply) => {
        reply(`${text}!`);
        resolve(text);
      });
      socket.emit('ask me');
    });
    const told = await socket.emitWithAck('what did I answer');
    return { answer, late, viaCallback, asked, told, id: socket.id, engineId: socket.io.engine.id };
  },

  async upgrade() {
    const socket = await joined();
    const before = socket.io.engine.transport.name;
    // Sent while the transports change hands.
    const answers = [];
    for (let i = 0; i < 40; i++) {
      socket.emit('echo', i, (answer) => answers.push(answer));
      await wait(3);
    }
    await until(() => answers.length === 40, 'all acks');
    return { before, after: socket.io.engine.transport.name, answers, upgrades: count(socket, 'upgrade') };
  },

  async binary() {
    const socket = await joined();
    const bytes = new Uint8Array([0, 1, 2, 253, 254, 255]);
    const answer = await socket.emitWithAck('echo', { name: 'file', parts: [bytes, bytes.buffer], more: 1 });
    return {
      name: answer.name,
      parts: answer.parts.map((part) => [part instanceof ArrayBuffer, ...new Uint8Array(part)]),
      more: answer.more,
    };
  },

  async namespaces() {
    const main = await joined();
    const other = main.io.socket('/other');
    await event(other, 'connect');
    const own = await joined({}, '/other');
    const missing = main.io.socket('/missing');
    const [error] = await event(missing, 'connect_error');
    const answers = [await main.emitWithAck('where'), await other.emitWithAck('where'), await own.emitWithAck('where')];
    other.disconnect();
    const still = await main.emitWithAck('where');
    return { answers, still, missing: error.message, isActive: missing.active, sharesEngine: other.io === main.io };
  },

  async refused() {
    const socket = open('', { auth: { token: 'wrong' } });
    const [error] = await event(socket, 'connect_error');
    await wait(300);
    return { message: error.message, data: error.data, isActive: socket.active, state: socket.io.state };
  },

  async auth() {
    let calls = 0;
    const socket = await joined({ auth: () => ({ token: 'right', call: ++calls }) });
    const first = await socket.emitWithAck('auth');
    socket.io.engine.close();
    await event(socket, 'connect');
    return { first, second: await socket.emitWithAck('auth') };
  },

  async reconnect() {
    const socket = await joined();
    const log = [];
    const firstId = socket.id;
    socket.io.on('reconnect_attempt', (n) => log.push(`attempt ${n}`));
    socket.io.on('reconnect', (n) => log.push(`back ${n}`));
    socket.on('disconnect', (reason) => log.push(reason));
    const lost = socket.emitWithAck('silent').catch((error) => error.message);
    socket.emit('cut me');
    await event(socket, 'disconnect');
    // Kept until the connection is back.
    const kept = socket.emitWithAck('echo', 'kept');
    return { log, lost: await lost, kept: await kept, isNew: socket.id !== firstId, recovered: socket.recovered };
  },

  async refusedConnection() {
    const socket = open('', { reconnectionAttempts: 2 });
    const errors = [];
    socket.on('connect_error', (error) => errors.push(error.message));
    await event(socket.io, 'reconnect_failed');
    return { errors };
  },

  async recovery() {
    const socket = await joined();
    const got = [];
    socket.on('number', (n) => got.push(n));
    const id = socket.id;
    socket.emit('count', 60);
    await until(() => got.length > 5, 'the first numbers');
    socket.emit('cut me');
    await event(socket, 'connect');
    const { recovered } = socket;
    await until(() => got.at(-1) === 59, 'the last number');
    return { got, recovered, isSame: socket.id === id };
  },

  async heartbeat() {
    const socket = await joined();
    let isLost = false;
    socket.on('disconnect', () => {
      isLost = true;
    });
    await wait(2_000);
    const pings = count(socket, 'ping');
    socket.emit('stop pinging');
    const [reason] = await event(socket, 'disconnect');
    return { pings, reason, wasLost: isLost && pings === 0 };
  },

  async cookies() {
    const sockets = await Promise.all([joined(), joined()]);
    await Promise.all(sockets.map((socket) => until(() => socket.io.engine.transport.name === transports.at(-1))));
    const answers = await Promise.all(sockets.map((socket) => socket.emitWithAck('cookies')));
    return { answers };
  },

  async many() {
    const sockets = await Promise.all(Array.from({ length: 30 }, () => joined()));
    const answers = await Promise.all(sockets.map((socket, i) => socket.emitWithAck('echo', i)));
    return { sum: answers.reduce((a, b) => a + b, 0), distinct: new Set(answers).size };
  },
};

function count(socket, name) {
  return socket.io.seen.filter(([seen]) => seen === name).length;
}

export default async function () {
  try {
    console.log(`RESULT ${JSON.stringify(await cases[CASE]())}`);
  } finally {
    // The iteration lasts until all sockets are closed.
    for (const socket of opened) socket.disconnect();
  }
}
