import { randomUUID } from 'node:crypto';
import { come } from './check-clients.ts';
import type { CheckContext } from './check-context.ts';

/** A backend publishes over HTTP and a client hears it; a wrong key is refused. Without a key the API must be off. */
export async function checkPublish(context: CheckContext): Promise<string> {
  const room = `check-${randomUUID()}`;
  const post = (key: string) => publish(context, key, room);
  if (context.apiKey === undefined) {
    const status = await post('none');
    if (status !== 404) throw new Error(`there is no key, but ${context.api} answers ${status} instead of 404`);
    return 'the HTTP API is off';
  }
  const refused = await post(randomUUID());
  if (refused !== 401) throw new Error(`a wrong key is answered ${refused} instead of 401`);
  const listener = await come(context.url, 'websocket', context);
  try {
    await listener.ask('join', room);
    const heard = listener.next();
    // What it rejects with is told after the status, which says more.
    heard.catch(() => undefined);
    const status = await post(context.apiKey);
    if (status !== 200) throw new Error(`${context.api} answers ${status} to a publish`);
    if ((await heard) !== room) throw new Error('the client heard something else');
  } finally {
    listener.leave();
  }
  return `a message went from ${context.api} to a client`;
}

async function publish(context: CheckContext, key: string, room: string): Promise<number> {
  try {
    const response = await fetch(`${context.api}/api/v1/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ room, data: room }),
      signal: AbortSignal.timeout(context.patienceMs),
    });
    await response.arrayBuffer();
    return response.status;
  } catch (cause) {
    throw new Error(`${context.api} does not answer: ${(cause as Error).cause ?? (cause as Error).message}`, { cause });
  }
}
