/** The HTTP API: publish, look, disconnect, drain. Off while there is no key. */
import type { Context, Hono } from 'hono';
import type { Directory, Log, Metrics, Presence, Publisher, PublishResult, SecretValues } from '../contracts.ts';
import { Refused, refusalBody } from '../refusals.ts';
import { readJson } from './api-body.ts';
import { isAuthorized } from './api-key.ts';
import { parseBatch, parseId, parsePublish, parseRoom, parseRoomQuery, parseRoomsQuery } from './api-payloads.ts';
import { type Answering, refuse, register } from './router.ts';
import { API_ROUTES, type ApiPath } from './routes.ts';

export interface ApiDeps {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'apiRequest' | 'published'>;
  readonly apiKeys: SecretValues;
  readonly publisher: Publisher;
  readonly directory: Directory;
  readonly presence: Pick<Presence, 'count' | 'members'>;
  readonly phase: { name(): string };
  /** Starts to let all clients go. Returns at once; safe to call twice. */
  drain(): void;
}

/** Resolves with the body of the answer; rejects with a `Refused`, or with a fault. */
type Handler = (context: Context) => Promise<object>;

/** Adds the API's routes. Every answer is JSON and counted under the template of its route. */
export function mountApi(app: Hono, options: { readonly maxBodyBytes: number }, deps: ApiDeps): void {
  const handlers: Record<ApiPath, Handler> = { ...publishing(options, deps), ...looking(deps), ...acting(deps) };
  for (const route of API_ROUTES) {
    register(app, {
      route,
      around: guarded(route.path, deps),
      answer: async (context) => context.json({ ok: true, ...(await handlers[route.path](context)) }, route.success),
    });
  }
  const unmatched = guarded('unmatched', deps);
  app.all('/api/*', (context) => unmatched(context, async () => refuse(context, refusalBody('not_found'))));
}

/** Lets only callers with a key in, turns what handlers throw into answers, and counts. */
function guarded(route: string, deps: ApiDeps): (context: Context, answer: Answering) => Promise<Response> {
  async function answerOrRefuse(context: Context, answer: Answering): Promise<Response> {
    try {
      if (deps.apiKeys().every((key) => key === '')) {
        throw new Refused('not_found', 'the HTTP API is off: no SOCKETFLEET_API_KEY');
      }
      if (!isAuthorized(context.req.header('authorization'), deps.apiKeys)) throw new Refused('unauthorized');
      const phase = deps.phase.name();
      // Redis is not there yet, or not any more: what is taken now would reach nobody.
      if (phase === 'starting' || phase === 'stopped') throw new Refused('unavailable', `this server is ${phase}`);
      // A backend that keeps its connection would stay with this server to its end, although the Service has others.
      if (phase === 'draining') context.header('Connection', 'close');
      return await answer(context);
    } catch (error) {
      if (error instanceof Refused) return refuse(context, error.data);
      deps.log.error({ err: error, route }, 'api request failed');
      return refuse(context, refusalBody('internal'));
    }
  }
  return async (context, answer) => {
    const response = await answerOrRefuse(context, answer);
    deps.metrics.apiRequest(route, response.status);
    return response;
  };
}

function publishing({ maxBodyBytes }: { readonly maxBodyBytes: number }, { publisher, metrics, log }: ApiDeps) {
  async function publish(raw: unknown, where: string): Promise<PublishResult> {
    try {
      const result = await publisher.publish(parsePublish(raw, where));
      metrics.published('api', result.duplicate ? 'duplicate' : 'sent');
      return result;
    } catch (error) {
      metrics.published('api', 'refused');
      throw error;
    }
  }

  return {
    '/api/v1/publish': async (context: Context) => publish(await readJson(context, maxBodyBytes), ''),

    async '/api/v1/publish/batch'(context: Context) {
      const faults: unknown[] = [];
      const answerOf = async (raw: unknown, index: number) => {
        try {
          return { ok: true, ...(await publish(raw, `messages[${index}].`)) };
        } catch (error) {
          if (error instanceof Refused) return error.data;
          faults.push(error);
          return refusalBody('internal');
        }
      };
      // All are handed over in this turn, in order, so that the fan-out sees one batch.
      const results = await Promise.all(parseBatch(await readJson(context, maxBodyBytes)).map(answerOf));
      if (faults.length > 0) log.error({ err: faults[0], faults: faults.length }, 'publishing a batch failed');
      return { results };
    },
  };
}

function looking({ directory, presence }: ApiDeps) {
  return {
    async '/api/v1/rooms'(context: Context) {
      const { limit, after = '' } = parseRoomsQuery(context.req.query());
      const { value, partial } = await directory.rooms();
      const later = value
        .filter(({ room }) => room > after)
        .sort((a, b) => (a.room < b.room ? -1 : Number(a.room > b.room)));
      const rooms = later.slice(0, limit).map(({ room, sockets }) => ({ room, sockets }));
      const next = later.length > limit ? { next: rooms.at(-1)?.room } : {};
      return { rooms, ...next, partial };
    },

    async '/api/v1/rooms/{room}'(context: Context) {
      const room = parseRoom(param(context, 'room'));
      const { limit } = parseRoomQuery(context.req.query());
      const [{ value, partial }, count, members] = await Promise.all([
        directory.room(room),
        presence.count(room),
        presence.members(room, limit),
      ]);
      return { room, sockets: value.sockets, count, members, partial };
    },

    async '/api/v1/sockets/{id}'(context: Context) {
      const { value, partial } = await directory.socket(parseId('id', param(context, 'id')));
      if (value !== undefined) return { socket: value, partial };
      // Where a server is silent, nobody can say that the socket does not exist.
      throw partial ? new Refused('unavailable', 'a server did not answer in time') : new Refused('not_found');
    },
  };
}

function acting({ directory, drain, log }: ApiDeps) {
  return {
    async '/api/v1/sockets/{id}/disconnect'(context: Context) {
      const { value, partial } = await directory.disconnectSocket(parseId('id', param(context, 'id')));
      return { disconnected: value, partial };
    },

    async '/api/v1/users/{sub}/disconnect'(context: Context) {
      const { value, partial } = await directory.disconnectUser(parseId('sub', param(context, 'sub')));
      return { disconnected: value, partial };
    },

    async '/api/v1/drain'() {
      log.info({}, 'drain asked for through the HTTP API');
      drain();
      return {};
    },
  };
}

function param(context: Context, name: string): string {
  return context.req.param(name) ?? '';
}
