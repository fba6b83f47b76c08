import { randomUUID } from 'node:crypto';
import { come } from './check-clients.ts';
import type { CheckContext } from './check-context.ts';
import { readyServers } from './check-servers.ts';

/** A client of one server publishes, a client of another one hears it. */
export async function checkBroadcast(context: CheckContext): Promise<string> {
  const [first, second = first] = await readyServers(context);
  const room = `check-${randomUUID()}`;
  const speaker = await come(first.address.publicUrl, 'websocket', context);
  try {
    const listener = await come(second.address.publicUrl, 'websocket', context);
    try {
      await listener.ask('join', room);
      const heard = listener.next();
      const [data] = await Promise.all([heard, speaker.ask('publish', room, room)]);
      if (data !== room) throw new Error(`${second.pod} delivered something else than ${first.pod} took`);
    } finally {
      listener.leave();
    }
  } finally {
    speaker.leave();
  }
  return first === second
    ? `a message passed through ${first.pod}, the only server`
    : `a message went from ${first.pod} to ${second.pod}`;
}
