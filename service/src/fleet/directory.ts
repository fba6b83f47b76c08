/** The directory of the whole installation: asks the servers that may know, and says when one did not answer. */
import type { Answer, Bus, Clock, Directory, Log, Metrics, Registry, RoomView, Startable } from '../contracts.ts';
import { createAsking } from './asking.ts';
import type { Leases } from './leases.ts';
import type { AnswerTo, Question } from './questions.ts';

export interface DirectoryOptions {
  /** How long other servers may take to answer. */
  readonly deadlineMs: number;
}

export interface DirectoryDeps {
  /** What this server knows by itself. */
  readonly local: Directory;
  readonly leases: Leases;
  readonly bus: Bus;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'partialAnswer'>;
  /** The tag of the server that gave out a socket id; undefined when it is not one of ours. */
  tagOf(socketId: string): string | undefined;
}

export interface FleetDirectory extends Directory, Startable {
  /** The first socket of a user is on this server. Resolves when all servers may know. */
  userCame(sub: string): Promise<void>;
  /** The last one has gone. */
  userLeft(sub: string): Promise<void>;
  /** A socket is on this server; counts when another server gave out its id, as after a recovery. */
  socketCame(id: string): Promise<void>;
  socketLeft(id: string): Promise<void>;
}

type SocketQuestion = 'socket' | 'disconnectSocket';

const userKey = (sub: string) => `user:${sub}`;
const socketKey = (id: string) => `socket:${id}`;

/** Whether changes under a registry key interest nobody. */
export function isQuietKey(key: string): boolean {
  return key.startsWith('user:') || key.startsWith('socket:');
}

export function createFleetDirectory(options: DirectoryOptions, deps: DirectoryDeps): FleetDirectory {
  const { local, leases, registry, metrics } = deps;
  const asking = createAsking(options, deps);

  function otherTags(): string[] {
    const { tag: own } = leases.own();
    return [...new Set(leases.table().map(({ tag }) => tag))].filter((tag) => tag !== own);
  }

  function answer<T>(value: T, isWhole: boolean): Answer<T> {
    if (!isWhole) metrics.partialAnswer();
    return { value, partial: !isWhole };
  }

  /** Those of the tags that belong to other living servers; the table is read again when one is missing in it. */
  async function living(tags: readonly string[]): Promise<string[]> {
    const { tag: own } = leases.own();
    const others = tags.filter((tag) => tag !== own);
    const known = new Set(otherTags());
    if (others.every((tag) => known.has(tag))) return others;
    await leases.refresh();
    const knownNow = new Set(otherTags());
    return others.filter((tag) => knownNow.has(tag));
  }

  /** Asks here, then the server that gave out the id, then the one that took the socket over, then all the others once. */
  async function find<Q extends SocketQuestion>(
    question: Q,
    id: string,
    isFound: (found: AnswerTo<Q>) => boolean,
  ): Promise<{ value: AnswerTo<Q> | undefined; isWhole: boolean }> {
    const asked = new Set<string>();
    let isWhole = true;
    const owner = deps.tagOf(id);
    const steps = [
      async () => (owner === undefined ? [] : living([owner])),
      async () => living((await registry.holders(socketKey(id), id)).value),
      async () => otherTags(),
    ];
    for (const step of steps) {
      const tags = (await step()).filter((tag) => !asked.has(tag));
      for (const tag of tags) asked.add(tag);
      const answers = await asking.ask(question, id, { tags, isEnough: isFound });
      const value = answers.values.find(isFound);
      if (value !== undefined) return { value, isWhole: true };
      isWhole &&= answers.isWhole;
    }
    return { value: undefined, isWhole: isWhole && leases.isFresh() };
  }

  async function askAll<Q extends Question>(question: Q, about: string) {
    const { values, isWhole } = await asking.ask(question, about, { tags: otherTags() });
    return { values, isWhole: isWhole && leases.isFresh() };
  }

  const isMoved = (id: string) => deps.tagOf(id) !== leases.own().tag;

  return {
    start: async () => asking.start(),
    stop: async () => asking.stop(),
    async rooms() {
      const [own, { values, isWhole }] = await Promise.all([local.rooms(), askAll('rooms', '')]);
      return answer(sum([own.value, ...values]), isWhole && !own.partial);
    },
    async room(name) {
      const [own, { values, isWhole }] = await Promise.all([local.room(name), askAll('room', name)]);
      const sockets = values.reduce((all, one) => all + one.sockets, own.value.sockets);
      return answer({ room: name, sockets }, isWhole && !own.partial);
    },
    async socket(id) {
      const own = await local.socket(id);
      if (own.value !== undefined) return own;
      const { value, isWhole } = await find('socket', id, (found) => found !== null);
      return answer(value ?? undefined, isWhole && !own.partial);
    },
    async disconnectSocket(id) {
      const own = await local.disconnectSocket(id);
      if (own.value > 0) return own;
      const { value, isWhole } = await find('disconnectSocket', id, (told) => told > 0);
      return answer(value ?? 0, isWhole && !own.partial);
    },
    async disconnectUser(sub) {
      const holders = await registry.holders(userKey(sub), sub);
      const [own, { values, isWhole }] = await Promise.all([
        local.disconnectUser(sub),
        // Where the registry may lack somebody, nobody is spared the question.
        holders.partial
          ? askAll('disconnectUser', sub)
          : living(holders.value).then((tags) => asking.ask('disconnectUser', sub, { tags })),
      ]);
      const told = values.reduce((all, one) => all + one, own.value);
      return answer(told, isWhole && !own.partial);
    },
    userCame: (sub) => registry.add(userKey(sub), { id: sub }),
    userLeft: (sub) => registry.remove(userKey(sub), sub),
    socketCame: async (id) => (isMoved(id) ? registry.add(socketKey(id), { id }) : undefined),
    // Also when the id was given out here: the tag may have changed meanwhile.
    socketLeft: (id) => registry.remove(socketKey(id), id),
  };
}

function sum(lists: readonly (readonly RoomView[])[]): RoomView[] {
  const sockets = new Map<string, number>();
  for (const list of lists) {
    for (const view of list) sockets.set(view.room, (sockets.get(view.room) ?? 0) + view.sockets);
  }
  return [...sockets].map(([room, count]) => ({ room, sockets: count }));
}
