/** Turns typed lines into requests, and what comes back into lines. */
import { randomUUID } from 'node:crypto';
import { parseLine } from './client-commands.ts';
import { duration, harmless, names } from './client-format.ts';
import type { Narrator, Outcome } from './client-narrator.ts';
import { CLIENT_COMMANDS, type ClientOptions } from './client-options.ts';
import { createSession, patiently, type SessionListener } from './client-session.ts';

/** What a talk needs. */
export interface TalkDeps {
  readonly narrator: Narrator;
  /** The current room is another one. */
  prompt(text: string): void;
  /** The connection is up or down. */
  connection(isUp: boolean): void;
  /** There will be no connection any more. */
  ended(why: string): void;
}

/** A conversation in rooms. */
export interface Talk {
  start(): void;
  /** Resolves when all rooms were asked for, with whether all of them let us in. Rejects when nobody ever answers. */
  ready(): Promise<boolean>;
  /** Does what a line asks for and prints the outcome. `isPatient`: a refusal that allows it is tried again. */
  handle(line: string, how?: { isPatient: boolean }): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Creates a talk; nothing is sent before `start`. */
export function createTalk(options: ClientOptions, deps: TalkDeps): Talk {
  const { narrator } = deps;
  const { note, problem, refusal } = narrator;
  let current: string | undefined = options.rooms[0];
  let refusals = 0;

  function speakIn(room: string | undefined): void {
    current = room;
    deps.prompt(room === undefined ? '> ' : `${harmless(room)}> `);
  }

  const listener: SessionListener = {
    connected({ awayMs, isRecovered }) {
      deps.connection(true);
      const who = options.name === undefined ? '' : ` as ${harmless(options.name)}`;
      if (awayMs === undefined) note(`connected to ${options.url}${who}`);
      else note(`connected again after ${duration(awayMs)}, ${isRecovered ? 'session recovered' : 'new session'}`);
      speakIn(current);
    },
    disconnected(reason) {
      deps.connection(false);
      note(`disconnected: ${reason}, coming back`);
    },
    failed: ({ text, isFinal }) => (isFinal ? deps.ended(text) : void problem(text)),
    joined(room, reply) {
      if (reply.ok) return void greet(room);
      refusals += 1;
      refusal(`cannot join ${harmless(room)}`, reply);
      if (current === room) speakIn(session.rooms()[0]);
    },
    message: narrator.message,
    presence: narrator.presence,
    recovery: (reason) => void problem(`the server could not restore everything that was missed (${harmless(reason)})`),
  };
  const session = createSession(options, listener);

  async function greet(room: string): Promise<void> {
    // Only decoration: when the connection goes away meanwhile, the next one greets again.
    const reply = await session.request('presence', room).catch(() => undefined);
    note(`joined ${harmless(room)}${reply?.ok ? `: ${narrator.present(reply)}` : ''}`);
  }

  async function say(text: string, isPatient: boolean): Promise<Outcome> {
    if (current === undefined) return problem('you are in no room; /join one');
    if (!session.isReady()) note('not connected; this goes out when the connection is back');
    const data = options.name === undefined ? { text } : { text, name: options.name };
    // With an id of our own it can be sent again after a cut, and is still delivered once.
    const args = ['publish', current, data, { id: randomUUID() }] as const;
    const publish = () => session.request(...args);
    const reply = await (isPatient ? patiently(publish) : publish());
    return reply.ok ? 'done' : refusal('not sent', reply);
  }

  async function join(room: string): Promise<Outcome> {
    const reply = await session.join(room);
    if (!reply.ok) return refusal(`cannot join ${harmless(room)}`, reply);
    speakIn(room);
    await greet(room);
    return 'done';
  }

  async function leave(room: string | undefined): Promise<Outcome> {
    if (room === undefined) return problem('you are in no room');
    const reply = await session.leave(room);
    if (!reply.ok) return refusal(`cannot leave ${harmless(room)}`, reply);
    note(`left ${harmless(room)}`);
    if (room === current) speakIn(session.rooms()[0]);
    return 'done';
  }

  function switchTo(room: string): Outcome {
    if (!session.rooms().includes(room)) return problem(`you are not in ${harmless(room)}; /join it first`);
    speakIn(room);
    return 'done';
  }

  async function who(room: string | undefined): Promise<Outcome> {
    if (room === undefined) return problem('you are in no room; /who needs the name of one');
    const reply = await session.request('presence', room);
    if (!reply.ok) return refusal(`cannot see who is in ${harmless(room)}`, reply);
    note(`${harmless(room)}: ${narrator.present(reply)}`);
    return 'done';
  }

  async function me(): Promise<Outcome> {
    const reply = await session.request('whoami');
    if (!reply.ok) return refusal('no answer', reply);
    const known = ['id', 'pod', 'worker', 'recovered'].filter((field) => reply[field] !== undefined);
    const parts = known.map((field) => `${field} ${harmless(String(reply[field]))}`);
    note([...parts, `transport ${session.transport()}`, `rooms ${names(session.rooms())}`].join(', '));
    return 'done';
  }

  async function ping(): Promise<Outcome> {
    await session.ready();
    const start = performance.now();
    const reply = await session.request('whoami');
    if (!reply.ok) return refusal('no answer', reply);
    note(`round trip ${duration(performance.now() - start)} (${session.transport()})`);
    return 'done';
  }

  async function handle(line: string, { isPatient } = { isPatient: false }): Promise<Outcome> {
    const command = parseLine(line);
    switch (command.kind) {
      case 'say':
        return say(command.text, isPatient);
      case 'join':
        return join(command.room);
      case 'leave':
        return leave(command.room ?? current);
      case 'switch':
        return switchTo(command.room);
      case 'who':
        return who(command.room ?? current);
      case 'me':
        return me();
      case 'ping':
        return ping();
      case 'quit':
        return 'quit';
      case 'help':
        note(CLIENT_COMMANDS.trimEnd());
        return 'done';
      case 'nothing':
        return 'done';
      case 'problem':
        return problem(command.text);
    }
  }

  return {
    start: session.start,
    async ready() {
      await session.ready();
      return refusals === 0;
    },
    handle,
    stop: session.stop,
  };
}
