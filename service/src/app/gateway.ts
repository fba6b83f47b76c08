/**
 * The built-in gateway: join, leave, publish, presence, whoami and refresh on the namespace `/`.
 * An app module like any user's: it gets `io` and `services`, and nothing else.
 */
import type { Server, Socket } from 'socket.io';
import type { App, Services } from '../contracts.ts';
import { type RefusalBody, type RefusalCode, Refused, refusalBody } from '../refusals.ts';
import { joinOptions, joinRooms, MOST_ROOMS_PER_CALL, parse, publishData, publishOptions, room } from './payloads.ts';
import { createRoster, type Roster } from './roster.ts';
import { createShownMembers } from './shown-members.ts';

type Answer = { readonly ok: true; readonly [field: string]: unknown };
type Ack = (answer: Answer | RefusalBody) => void;
type Handler = (args: readonly unknown[]) => Promise<Answer>;

/** Registers the handlers. Every request is answered once: with `ok: true`, or with a refusal that says whether to retry. */
export const gateway: App = (io: Server, services: Services) => {
  const kept = { roster: createRoster(io, services), shownMembers: createShownMembers(services.presence) };
  const { roster } = kept;
  io.on('connection', async (socket) => {
    const handlers = handlersOf(socket, services, kept);
    for (const [event, handler] of Object.entries(handlers)) {
      socket.on(event, (...args: unknown[]) => answer(socket, services, event, handler, args));
    }
    socket.onAny((event: string, ...args: unknown[]) => {
      if (socket.listenerCount(event) === 0) void answer(socket, services, event, unknownEvent, args);
    });
    socket.on('disconnecting', (reason) =>
      roster.leaveAll(socket, reason === 'client namespace disconnect' ? 'left' : 'lost'),
    );
    if (socket.recovered) await roster.comeBack(socket);
  });
};

export default gateway;

function handlersOf(
  socket: Socket,
  services: Services,
  { roster, shownMembers }: { readonly roster: Roster; readonly shownMembers: ReturnType<typeof createShownMembers> },
): Record<string, Handler> {
  const identity = () => services.identityOf(socket);
  const allowed = (name: unknown) => {
    const parsed = parse(room, name, 'bad_room', 'room');
    if (!identity().allows(parsed)) throw new Refused('forbidden', parsed);
    return parsed;
  };
  return {
    async join([names, options]) {
      if (Array.isArray(names) && names.length > MOST_ROOMS_PER_CALL) {
        throw new Refused('too_many_rooms', `at most ${MOST_ROOMS_PER_CALL} in one call`);
      }
      const rooms = [...new Set(parse(joinRooms, names, 'bad_room', 'room'))];
      const { presence, after } = parse(joinOptions.default({}), options, 'bad_request', 'options');
      const forbidden = rooms.filter((name) => !identity().allows(name));
      if (forbidden.length > 0) throw new Refused('forbidden', forbidden.slice(0, 5).join(', '));
      const fresh = rooms.filter((name) => !socket.rooms.has(services.roomName(name)));
      if (roster.roomsOf(socket).length + fresh.length > services.limits.roomsPerSocket) {
        throw new Refused('too_many_rooms', `at most ${services.limits.roomsPerSocket}`);
      }
      await roster.join(socket, rooms, presence);
      // There is no history yet to fill a gap from, and a client must not believe that there was none.
      const missed = Object.fromEntries(rooms.map((name) => [name, { recovered: false, reason: 'history-off' }]));
      return { ok: true, rooms, ...(after === undefined ? {} : { missed }) };
    },
    async leave([name]) {
      await roster.leave(socket, parse(room, name, 'bad_room', 'room'));
      return { ok: true };
    },
    async publish([name, given, options]) {
      const target = allowed(name);
      const data = parse(publishData, given, 'bad_request', 'data');
      const { event, id, volatile } = parse(publishOptions.default({}), options, 'bad_request', 'options');
      const { sub } = identity();
      // Without users a key belongs to the socket: two strangers with the same key must not silence each other.
      const scope = sub === undefined ? `socket:${socket.id}` : `user:${sub}`;
      const result = await services.publish({ rooms: [target], event, data, id, volatile, scope, from: sub });
      return { ok: true, id: result.id, ...(result.partial ? { partial: true } : {}) };
    },
    async presence([name]) {
      const target = allowed(name);
      return { ok: true, ...(await shownMembers(target)) };
    },
    async whoami() {
      const { sub, exp } = identity();
      const rooms = roster.roomsOf(socket);
      const user = { ...(sub === undefined ? {} : { sub }), ...(exp === undefined ? {} : { exp }) };
      return {
        ok: true,
        id: socket.id,
        pod: services.pod,
        worker: services.worker,
        rooms,
        recovered: socket.recovered,
        ...user,
      };
    },
    async refresh([token]) {
      if (typeof token !== 'string') throw new Refused('bad_request', 'token must be text');
      const { exp } = await services.refresh(socket, token);
      await roster.leaveForbidden(socket);
      return { ok: true, ...(exp === undefined ? {} : { exp }) };
    },
  };
}

async function unknownEvent(): Promise<Answer> {
  throw new Refused('bad_event', 'the gateway knows join, leave, publish, presence, whoami and refresh');
}

async function answer(
  socket: Socket,
  services: Services,
  event: string,
  handler: Handler,
  args: readonly unknown[],
): Promise<void> {
  const last = args.at(-1);
  const hasAck = typeof last === 'function';
  const ack: Ack = hasAck ? (last as Ack) : () => undefined;
  const reply = (code: 'ok' | RefusalCode, body: Answer | RefusalBody) => {
    services.answered(event, code);
    ack(body);
  };
  try {
    reply('ok', await handler(hasAck ? args.slice(0, -1) : args));
  } catch (error) {
    if (error instanceof Refused) return reply(error.refusal, error.data);
    services.log.error({ err: error, event, socketId: socket.id }, 'request failed');
    reply('internal', refusalBody('internal'));
  }
}
