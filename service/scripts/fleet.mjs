// `npm run fleet`: several servers, Redis and a balancer on one machine, with clients to watch while things are broken.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createBalancer } from './fleet/balancer.mjs';
import { createCrowd } from './fleet/crowd.mjs';
import { createFleetRedis } from './fleet/redis.mjs';
import { createServers } from './fleet/servers.mjs';
import { prepare } from './prepare.mjs';

const HELP = `usage: npm run fleet -- [--servers 3] [--clients 20] [--port 3000] [--balance cookie|roundrobin]

  kill N            ends server N as a crash does (SIGKILL)
  stop N            asks server N to leave (SIGTERM); its clients are let go over 5 s
  start N           starts server N again
  add               starts one more server
  redis restart     stops Redis and starts it again; also: redis stop, redis start, redis pause, redis resume
  clients N         has N clients connected
  status            who is where
  quit              ends everything (so does Ctrl-C)`;

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: '3' },
    clients: { type: 'string', default: '20' },
    port: { type: 'string', default: '3000' },
    balance: { type: 'string', default: 'cookie' },
    help: { type: 'boolean', default: false },
  },
});
const count = Number(values.servers);
if (
  values.help ||
  !Number.isInteger(count) ||
  count < 1 ||
  count > 10 ||
  !['cookie', 'roundrobin'].includes(values.balance)
) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

await prepare();
const say = (text) => console.log(`${new Date().toTimeString().slice(0, 8)}  ${text}`);
const redis = await createFleetRedis(say);
const servers = createServers({ basePort: Number(values.port), redisUrl: redis.url, say });
const balancer = createBalancer({ port: Number(values.port), slots: servers.slots, balance: values.balance, say });
let isEnding = false;

async function end() {
  if (isEnding) return;
  isEnding = true;
  crowd?.stop();
  await Promise.all([servers.stopAll(), balancer.stop()]);
  await redis.stop();
  process.exit(0);
}
process.on('SIGINT', end);
process.on('SIGTERM', end);

let crowd;
try {
  for (let i = 0; i < count; i++) await servers.add();
  await balancer.start();
} catch (error) {
  say(error.message);
  await end();
}
const urls = balancer.url === undefined ? servers.urls() : [balancer.url];
// A polling session needs the server that it began on.
const transports =
  balancer.url !== undefined && values.balance === 'roundrobin' ? ['websocket'] : ['polling', 'websocket'];
if (transports.length === 1)
  say('clients use WebSocket only: without cookies polling requests would reach the wrong server');
crowd = createCrowd({ urls, transports, say });
crowd.resize(Number(values.clients));
say(`clients connect to ${urls.join(' ')}`);
for (const line of servers.describe()) say(line);
say('type help to see what you can do');

const commands = {
  help: () => console.log(HELP),
  kill: (n) => servers.signal(n, 'SIGKILL'),
  stop: (n) => servers.signal(n, 'SIGTERM'),
  start: (n) => servers.start(n),
  add: () => servers.add(),
  redis: (what) => redis.command(what),
  clients: (n) => crowd.resize(Number(n)),
  status: () => {
    for (const line of [...servers.describe(), ...crowd.describe()]) say(line);
  },
  quit: end,
};
const input = createInterface({ input: process.stdin });
for await (const line of input) {
  const [name, ...args] = line.trim().split(/\s+/);
  if (name === '') continue;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) say(`there is no "${name}"; type help`);
  else {
    try {
      await command(...args);
    } catch (error) {
      say(error.message);
    }
  }
}
await end();
