// Stock clients that talk all the time, and what happens to them.
import { io } from 'socket.io-client';

const ROOM = 'fleet';
const SAY_MS = 1_000;

/** Reports once a second what changed: who lost its connection and why, who is back where and after how long. */
export function createCrowd({ urls, transports, say }) {
  const clients = [];
  let lost = new Map();
  let back = [];
  let heard = 0;
  let published = 0;
  const report = setInterval(() => {
    if (lost.size > 0) say(`clients lost: ${[...lost].map(([reason, count]) => `${count} (${reason})`).join(', ')}`);
    if (back.length > 0) {
      const times = back.map(({ ms }) => ms).sort((a, b) => a - b);
      const where = countBy(back).map(([pod, count]) => `${count} on ${pod}`);
      say(
        `clients back: ${back.length} after ${(times[times.length >> 1] / 1000).toFixed(1)} s (median), ${where.join(', ')}; ${connected()} of ${clients.length} connected`,
      );
    }
    lost = new Map();
    back = [];
    const speaker = clients.find((client) => client.socket.connected);
    speaker?.socket.emit('publish', ROOM, { n: ++published });
  }, SAY_MS);

  const connected = () => clients.filter((client) => client.socket.connected).length;

  function add() {
    const socket = io(urls[clients.length % urls.length], { forceNew: true, withCredentials: true, transports });
    const client = { socket, pod: '?', lostAt: undefined };
    socket.on('connect', () => {
      socket.emit('join', ROOM, () => undefined);
      socket.emit('whoami', ({ pod }) => {
        client.pod = pod;
        if (client.lostAt !== undefined) back.push({ pod, ms: performance.now() - client.lostAt });
        client.lostAt = undefined;
      });
    });
    socket.on('disconnect', (reason) => {
      if (reason === 'io client disconnect') return;
      client.lostAt ??= performance.now();
      lost.set(reason, (lost.get(reason) ?? 0) + 1);
    });
    socket.on('message', () => {
      heard++;
    });
    clients.push(client);
  }

  return {
    resize(count) {
      if (!Number.isInteger(count) || count < 0 || count > 2000) throw new Error('clients: a number from 0 to 2000');
      while (clients.length < count) add();
      for (const client of clients.splice(count)) client.socket.disconnect();
    },
    describe() {
      const pods = countBy(clients.filter(({ socket }) => socket.connected));
      return [
        `${connected()} of ${clients.length} clients connected: ${pods.map(([pod, count]) => `${count} on ${pod}`).join(', ') || 'none'}`,
        `${published} messages published, ${heard} heard`,
      ];
    },
    stop() {
      clearInterval(report);
      for (const { socket } of clients) socket.disconnect();
    },
  };
}

/** How many are on each pod. */
function countBy(entries) {
  const counts = new Map();
  for (const { pod } of entries) counts.set(pod, (counts.get(pod) ?? 0) + 1);
  return [...counts];
}
