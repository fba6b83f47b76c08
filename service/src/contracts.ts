/**
 * The ports between modules. Types only: nothing here exists at run time.
 * Times are milliseconds and sizes are bytes unless a name says otherwise.
 */
import type { Server as HttpServer } from 'node:http';
import type { Server as IoServer, Socket as IoSocket } from 'socket.io';
import type { Adapter } from 'socket.io-adapter';
import type { RefusalCode } from './refusals.ts';

/** Structured log. Events, not prose; secrets never go in. */
export interface Log {
  debug(fields: object, event: string): void;
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
  error(fields: object, event: string): void;
  fatal(fields: object, event: string): void;
  child(bindings: object): Log;
}

/** Ends a timer. Safe to call twice and after the timer has fired. */
export type Cancel = () => void;

/** Time and timers, so that tests need not wait. */
export interface Clock {
  /** Monotonic milliseconds; comparable only within one process. */
  now(): number;
  /** Milliseconds since 1970, for stamps that leave the process. */
  wall(): number;
  /** Calls once after `ms`, which may be longer than the 2^31 ms that one Node timer can hold. Does not keep the process alive. */
  after(ms: number, call: () => void): Cancel;
  /** Calls every `ms` until cancelled. Does not keep the process alive. */
  every(ms: number, call: () => void): Cancel;
}

/** Brings sockets to an HTTP server. */
export interface Inlet {
  /** Resolves once sockets arrive. Rejects when they cannot, for instance with EADDRINUSE. */
  start(server: HttpServer): Promise<void>;
  /** No more sockets arrive afterwards; those that arrived stay. Safe to call twice. */
  stop(): Promise<void>;
  /** Where sockets arrive, for the start-up line. Undefined before `start`. */
  url(): string | undefined;
}

/** What a failing check takes away: readiness, or nothing (it is only reported). */
export type Gate = 'ready' | 'nothing';

/** One question about the process' health. */
export interface Check {
  readonly name: string;
  readonly gates: Gate;
  /** Resolves with details to show, or rejects with the reason. */
  check(): Promise<object>;
}

/** What Socket.IO takes as its `adapter` option. */
export type AdapterFactory = (nsp: never) => Adapter;

/** A packet as Socket.IO's encoder leaves it: text, then its buffers. */
export type EncodedPacket = readonly (string | Buffer)[];

/** An adapter that keeps what a recovered socket has missed until its middlewares have agreed. */
export interface MissedPackets {
  /**
   * All that this socket has missed up to now, oldest first; undefined when that is no longer complete.
   * To be called once, when broadcasts begin to reach the socket.
   */
  takeMissed(socketId: string): readonly EncodedPacket[] | undefined;
}

/** Carries broadcasts to the other servers; the in-memory one carries them nowhere. */
export interface Fanout {
  readonly kind: string;
  readonly adapter: AdapterFactory;
  readonly checks: readonly Check[];
  /** False while broadcasts do not leave this server although there may be others. */
  reachesOthers(): boolean;
  /** Rejects only on a setting that can never work; what cannot be reached is retried behind a check. */
  start(): Promise<void>;
  /** Safe to call twice. Later broadcasts stay on this server. */
  stop(): Promise<void>;
}

/** Who a client is, once its token was accepted. */
export interface Identity {
  /** The user; absent without authentication. */
  readonly sub?: string;
  /** Patterns of rooms for join and publish; `*` matches any run of characters. */
  readonly rooms: readonly string[];
  /** Seconds since 1970 at which the session ends; absent when it never does. */
  readonly exp?: number;
  /** Whether this identity may join and publish to a room. */
  allows(room: string): boolean;
}

/** Values of a secret that may change while the process runs. Always asked anew, never kept. */
export type SecretValues = () => readonly string[];

/** Turns a handshake's token into an identity. */
export interface Identities extends Startable {
  readonly checks: readonly Check[];
  /** Rejects with a `Refused`: `unauthorized`, `token_expired`, or `unavailable` when the keys cannot be fetched. Never with the token in its text. */
  verify(token: string | undefined): Promise<Identity>;
}

/** Creating is free, starting is work; whoever starts, stops. */
export interface Startable {
  start(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** One message for one or more rooms. */
export interface PublishRequest {
  readonly rooms: readonly string[];
  /** The event members receive; `message` unless told otherwise. */
  readonly event?: string | undefined;
  readonly data: unknown;
  /** Idempotency key: within its window the same key is delivered once and answers the same id. */
  readonly id?: string | undefined;
  /** Whose keys these are; keys of different scopes never meet. The HTTP API's unless told otherwise. */
  readonly scope?: string | undefined;
  /** Socket ids that do not receive it. */
  readonly except?: readonly string[] | undefined;
  readonly volatile?: boolean | undefined;
  /** The user who publishes, shown to members as `meta.from`. */
  readonly from?: string | undefined;
}

/** What a publisher gets back. */
export interface PublishResult {
  readonly id: string;
  /** True when this key had been published before and nothing was sent again. */
  readonly duplicate: boolean;
  /** There when other servers could not be told: only members on this one got it. */
  readonly partial?: true;
}

/** Second argument of every message that members receive. */
export interface Meta {
  readonly room: string;
  readonly id: string;
  /** Milliseconds since 1970 at the server that took the publish. */
  readonly ts: number;
  readonly from?: string;
}

/** Publishes to rooms. */
export interface Publisher {
  /** Resolves once the message was handed to the fan-out (with history: once it is in the log). */
  publish(request: PublishRequest): Promise<PublishResult>;
}

/** One member of a room: a user, or an anonymous socket. */
export interface Member {
  /** `sub` of the user, or the socket's id without authentication. */
  readonly id: string;
  /** What the client gave with `join(room, { presence })`. */
  readonly meta?: unknown;
}

/** What changed in a room; sent as the `presence` event to sockets that joined with `presence`. */
export interface PresenceChange {
  readonly room: string;
  readonly joined: readonly Member[];
  readonly left: readonly string[];
  readonly count: number;
}

/** Who is in which room. */
export interface Presence extends Startable {
  readonly checks: readonly Check[];
  /** A socket of `member` is in `room` until the matching `leave`. Several sockets of one member count once. */
  join(room: string, member: Member, socketId: string): Promise<void>;
  /** `lost`: the connection broke, so the member stays a little longer, in case it comes back. */
  leave(room: string, memberId: string, socketId: string, how: 'left' | 'lost'): Promise<void>;
  /** Members of a room, O(1). */
  count(room: string): Promise<number>;
  /** At most `limit` members of a room. */
  members(room: string, limit: number): Promise<readonly Member[]>;
  /** Changes are reported for watched rooms only, debounced over reconnects. */
  watch(room: string): void;
  unwatch(room: string): void;
  onChange(listener: (change: PresenceChange) => void): void;
}

/** A room as the HTTP API shows it. */
export interface RoomView {
  readonly room: string;
  /** Sockets in the room. */
  readonly sockets: number;
}

/** A socket as the HTTP API shows it. */
export interface SocketView {
  readonly id: string;
  readonly nsp: string;
  readonly sub?: string;
  readonly rooms: readonly string[];
  readonly transport: string;
  readonly connectedAt: number;
  readonly pod: string;
}

/** An answer that may lack what some servers hold. */
export interface Answer<T> {
  readonly value: T;
  /** True when a server did not answer in time. */
  readonly partial: boolean;
}

/** Questions about, and orders to, the sockets of this installation. */
export interface Directory {
  rooms(): Promise<Answer<readonly RoomView[]>>;
  room(name: string): Promise<Answer<RoomView>>;
  socket(id: string): Promise<Answer<SocketView | undefined>>;
  /** Resolves with the number of sockets that were told to go. */
  disconnectSocket(id: string): Promise<Answer<number>>;
  disconnectUser(sub: string): Promise<Answer<number>>;
}

/** Is told which sockets this server holds. Its promises never reject and need not be awaited. */
export interface SocketListener {
  /** The first socket of a user is here. */
  userCame(sub: string): Promise<void>;
  /** The last one has gone. */
  userLeft(sub: string): Promise<void>;
  socketCame(id: string): Promise<void>;
  socketLeft(id: string): Promise<void>;
}

/** What an app module gets besides `io`. The built-in gateway uses nothing else. */
export interface Services {
  readonly log: Log;
  /** Name of this pod. */
  readonly pod: string;
  /** Slot of this worker in the pod; 0 when the server is alone. */
  readonly worker: number;
  /** Publishes to rooms as the HTTP API does. */
  readonly publish: Publisher['publish'];
  readonly presence: Presence;
  /** Limits that handlers are expected to honour. */
  readonly limits: { readonly roomsPerSocket: number };
  /** The Socket.IO room behind a room of the API; clients can never name a room without it. */
  roomName(room: string): string;
  /** Who this socket is. */
  identityOf(socket: IoSocket): Identity;
  /** Takes a fresh token for this socket; rejects with a `Refused` when it is not accepted. */
  refresh(socket: IoSocket, token: string): Promise<Identity>;
  /** Counts one answered request; `code` is `ok` or a refusal code. */
  answered(event: string, code: 'ok' | RefusalCode): void;
}

/** The default export of an app module. */
export type App = (io: IoServer, services: Services) => void | Promise<void>;

/** What the process tells about itself, in verbs. Labels come from closed lists. */
export interface Metrics {
  handshake(outcome: 'accepted' | RefusalCode): void;
  connectionOpened(transport: string): void;
  connectionUpgraded(): void;
  connectionClosed(transport: string, reason: string): void;
  namespaceJoined(nsp: string): void;
  namespaceLeft(nsp: string): void;
  received(bytes: number): void;
  sent(messages: number, bytes: number): void;
  broadcast(recipients: number, seconds: number): void;
  answered(event: string, code: 'ok' | RefusalCode): void;
  refused(code: RefusalCode): void;
  published(source: 'api' | 'socket', outcome: 'sent' | 'duplicate' | 'refused'): void;
  handlerFault(nsp: string): void;
  recovery(outcome: 'recovered' | 'fresh'): void;
  tokenVerified(outcome: 'ok' | 'expired' | 'invalid' | 'missing'): void;
  keysFetched(outcome: 'ok' | 'error'): void;
  apiRequest(route: string, status: number): void;
  drainRemaining(connections: number): void;
  drainClosed(): void;
  /** A canary came back after this many seconds. */
  redisLag(seconds: number): void;
  /** A message for other servers did not reach Redis. */
  redisLost(): void;
  /** Something on our channels was not ours. */
  redisForeign(): void;
  /** A deaf subscription was replaced. */
  redisRebuilt(): void;
  /** The lease of this server could not be renewed. */
  leaseFailed(): void;
  /** An answer about the whole installation lacks what some servers hold. */
  partialAnswer(): void;
  /** Registers values that are read when the metrics are. */
  observe(gauges: Gauges): void;
}

/** Values read at each scrape; a missing one is not exported. */
export interface Gauges {
  brakeTokens?: () => number;
  bufferedBytes?: () => number;
  slowReaders?: () => number;
  ready?: () => boolean;
  redisUp?: () => boolean;
  /** Servers of the installation that hold a lease, this one included. */
  servers?: () => number;
}

/** One argument of a Redis command. */
export type RedisArgument = string | number | Buffer;

/** Commands to the Redis of this installation. Every call rejects while Redis is away, within the command time-out. */
export interface RedisCommands {
  /** What every key of this installation begins with; put what belongs to one slot into `{}` behind it. */
  readonly prefix: string;
  call(command: string, ...args: RedisArgument[]): Promise<unknown>;
  /** Runs a Lua script (EVALSHA, EVAL when it is not known). All keys must be in one slot. */
  script(source: string, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown>;
  /** Redis is there (again): what it may have forgotten can be written anew. Called at the first contact, too. */
  onUp(listener: () => void): void;
}

/** Small messages between the servers of one installation, at most once. */
export interface Bus {
  /** Never rejects and never throws: while Redis is away the message is dropped and counted. */
  publish(topic: string, payload: string): void;
  /** Calls the listener for each message until cancelled. */
  subscribe(topic: string, listener: (payload: string) => void): Cancel;
}

/** One server of the installation, as its lease tells. */
export interface ServerLease {
  /** Two characters `[A-Za-z0-9_-]`, claimed, unique among the living. */
  readonly tag: string;
  /** Different for each life of a server. */
  readonly generation: string;
  readonly pod: string;
  /** `host:port` of the internal port, IPv6 in brackets; empty when only this machine can reach it. */
  readonly address: string;
  readonly connections: number;
  readonly maxConnections: number;
  /** How broadcasts travel. Servers of different modes do not hear each other. */
  readonly mode: string;
}

/** What changed under a key of the registry. */
export interface RegistryChange {
  readonly joined: readonly Member[];
  readonly left: readonly string[];
  /** True when this may have been told before. */
  readonly isAgain?: boolean;
}

/**
 * Who is where over all servers: a key has members, and a member is held by one server or several.
 * What a dead server held goes when its lease does. Without Redis answers tell what this server holds, and are partial.
 */
export interface Registry {
  /** This server holds `member` from now on; metadata is replaced when given. Resolves once that is written, or put off because Redis is away. */
  add(key: string, member: Member): Promise<void>;
  /** This server holds the member no longer. Resolves as `add` does. */
  remove(key: string, memberId: string): Promise<void>;
  /** Members of a key, O(1). */
  count(key: string): Promise<Answer<number>>;
  /** At most `limit` members of a key. */
  members(key: string, limit: number): Promise<Answer<readonly Member[]>>;
  /** Those of `memberIds` that are members, and the number of all. */
  look(
    key: string,
    memberIds: readonly string[],
  ): Promise<Answer<{ readonly count: number; readonly members: readonly Member[] }>>;
  /** Tags of the servers that hold a member. Also partial for a while after Redis has lost data, until all have written theirs again. */
  holders(key: string, memberId: string): Promise<Answer<readonly string[]>>;
  /** Calls the listener when the first server holds a member, or the last one no longer. A hint that may repeat: `look` tells what is. */
  watch(key: string, listener: (change: RegistryChange) => void): Cancel;
}
