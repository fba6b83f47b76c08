// Runs in a pod of its own, as a backend would: publishes numbered messages through the HTTP API at a steady pace and
// prints a line for each once it was taken. The key comes from a file, which Kubernetes changes when it is rotated.
import { readFileSync } from 'node:fs';

const { API_URL, KEY_FILE, ROOM, EVERY_MS } = process.env;
const ANSWER_MS = 2_000;

const tick = () => new Promise((resolve) => setTimeout(resolve, Number(EVERY_MS)));

async function publish(n) {
  const [key] = readFileSync(KEY_FILE, 'utf8').trim().split(/\s+/);
  const response = await fetch(`${API_URL}/api/v1/publish`, {
    method: 'POST',
    signal: AbortSignal.timeout(ANSWER_MS),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ room: ROOM, data: { n }, id: `n-${n}` }),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`status ${response.status}`);
}

for (let n = 1; ; n++) {
  const from = Date.now();
  const problems = [];
  for (;;) {
    const pace = tick();
    try {
      await publish(n);
      break;
    } catch (error) {
      problems.push(error.cause?.code ?? error.message);
      await pace;
    }
  }
  console.log(JSON.stringify({ n, from, to: Date.now(), problems }));
  await tick();
}
