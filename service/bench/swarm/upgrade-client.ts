/**
 * A Socket.IO client that starts with polling and upgrades, in the order of the stock client: the probe begins at once
 * after the handshake, polling goes on until the probe is answered, and the last poll is waited for before the upgrade.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type ClientEvents, PACKET, type SwarmClient } from './client.ts';
import { openWebSocket, readFrames } from './websocket-client.ts';

const SEPARATOR = '\u001e';
const PROBE_ANSWER = '3probe';

/** Resolves once the client has joined the namespace and uses WebSocket; rejects when any step fails. */
export async function connectUpgrade(url: string, events: ClientEvents): Promise<SwarmClient> {
  // A browser brings connections of its own: an agent shared by all clients would spare the server most of them.
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const polling = { agent, base: `${url}/socket.io/?EIO=4&transport=polling` };
  try {
    const handshake = await exchange(polling, '');
    const sid = /"sid":"([^"]+)"/.exec(handshake)?.[1];
    if (handshake.charCodeAt(0) !== PACKET.open || sid === undefined) throw new Error(`odd handshake: ${handshake}`);
    return await upgrade({ polling, url, query: `&sid=${sid}` }, events);
  } finally {
    agent.destroy();
  }
}

interface Polling {
  readonly agent: Agent;
  readonly base: string;
}

interface Session {
  readonly polling: Polling;
  readonly url: string;
  readonly query: string;
}

async function upgrade({ polling, url, query }: Session, events: ClientEvents): Promise<SwarmClient> {
  let isProbed = false;
  let onJoined: () => void = () => undefined;
  const joined = new Promise<void>((resolve) => {
    onJoined = resolve;
  });
  const ws = openWebSocket(url, query);
  const probed = probe(ws).finally(() => {
    isProbed = true;
  });
  const posted = exchange(polling, query, '40');
  const poll = async () => {
    while (!isProbed) {
      for (const packet of (await exchange(polling, query)).split(SEPARATOR)) {
        if (packet.startsWith('40')) onJoined();
        else if (packet.startsWith('42')) events.onEvent(Buffer.from(packet));
      }
    }
  };
  try {
    await Promise.all([probed, posted, poll()]);
    const client = readFrames(ws, events, onJoined);
    ws.send('5');
    await joined;
    return client;
  } catch (error) {
    ws.terminate();
    throw error;
  }
}

async function probe(ws: ReturnType<typeof openWebSocket>): Promise<void> {
  const gone = new AbortController();
  ws.once('close', () => gone.abort());
  await once(ws, 'open', gone);
  ws.send('2probe');
  const [answer] = await once(ws, 'message', gone);
  if (String(answer) !== PROBE_ANSWER) throw new Error(`odd answer to the probe: ${answer}`);
}

/** Posts `body`, or polls without one. */
function exchange({ agent, base }: Polling, query: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(base + query, { agent, method: body === undefined ? 'GET' : 'POST' }, async (response) => {
      try {
        const text = (await response.setEncoding('utf8').toArray()).join('');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`HTTP ${response.statusCode}: ${text}`));
      } catch (error) {
        reject(error);
      }
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
