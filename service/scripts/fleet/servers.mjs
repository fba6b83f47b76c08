// The server processes of a fleet, in numbered slots whose ports never change.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const SLOTS = 10;
const READY_MS = 15_000;

/** `basePort` is the balancer's; server N listens on basePort + N and its internal port is 6464 above. */
export function createServers({ basePort, redisUrl, say }) {
  const slots = Array.from({ length: SLOTS }, (_, i) => ({
    n: i + 1,
    port: basePort + i + 1,
    internalPort: basePort + i + 1 + 6464,
  }));

  function slot(text) {
    const found = slots[Number(text) - 1];
    if (found === undefined) throw new Error(`there is no server ${text}; 1 to ${SLOTS}`);
    return found;
  }

  async function start(text) {
    const one = slot(text);
    if (one.child !== undefined) throw new Error(`server ${one.n} is running`);
    const child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C is for the fleet, which ends its servers itself.
      detached: true,
      env: {
        ...process.env,
        PORT: String(one.port),
        HOST: '127.0.0.1',
        REDIS_URL: redisUrl,
        SOCKETFLEET_POD: `server-${one.n}`,
        SOCKETFLEET_ENDPOINT_WAIT_MS: '1000',
        SOCKETFLEET_DRAIN_WINDOW_MS: '5000',
      },
    });
    one.child = child;
    let problem = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      problem = (problem + chunk).slice(-2000);
    });
    child.once('exit', (code, signal) => {
      one.child = undefined;
      say(`server ${one.n} has ended (${signal ?? `exit code ${code}`})${code ? `: ${problem.trim()}` : ''}`);
    });
    await ready(one);
    say(`server ${one.n} is ready on port ${one.port}`);
  }

  return {
    slots,
    start,
    async add() {
      const free = slots.find(({ child }) => child === undefined);
      if (free === undefined) throw new Error(`no more than ${SLOTS} servers`);
      await start(free.n);
    },
    signal(text, signal) {
      const { n, child } = slot(text);
      if (child === undefined) throw new Error(`server ${n} is not running`);
      child.kill(signal);
      say(`${signal} sent to server ${n}`);
    },
    urls: () => slots.filter(({ child }) => child !== undefined).map(({ port }) => `http://127.0.0.1:${port}`),
    describe: () =>
      slots
        .filter(({ child }) => child !== undefined)
        .map(
          ({ n, port, internalPort }) => `server ${n}: http://127.0.0.1:${port}  probes and metrics on ${internalPort}`,
        ),
    async stopAll() {
      const running = slots.filter(({ child }) => child !== undefined).map(({ child }) => child);
      await Promise.all(
        running.map(
          (child) =>
            new Promise((resolve) => {
              child.once('exit', resolve);
              child.kill('SIGINT');
              setTimeout(() => child.kill('SIGKILL'), 8_000).unref();
            }),
        ),
      );
    },
  };
}

async function ready({ n, internalPort, ...one }) {
  const end = Date.now() + READY_MS;
  while (Date.now() < end) {
    if (one.child.exitCode !== null) throw new Error(`server ${n} did not start`);
    const isReady = await fetch(`http://127.0.0.1:${internalPort}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`server ${n} is not ready after ${READY_MS / 1000} s`);
}
