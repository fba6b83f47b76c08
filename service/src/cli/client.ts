/** The terminal client: a small chat to try a server with. */
import { randomUUID } from 'node:crypto';
import { createFormat } from './client-format.ts';
import { createNarrator } from './client-narrator.ts';
import { CLIENT_HELP, type ClientOptions, parseClientArgs } from './client-options.ts';
import { type ClientIo, createScreen, type Screen } from './client-screen.ts';
import { createTalk, type Talk } from './client-talk.ts';

const PIPE_PATIENCE_MS = 30_000;

/** Runs the client until its input ends, `/quit`, Ctrl-C or a final refusal. Resolves with the exit code. */
export async function runClient(argv: readonly string[], io: ClientIo): Promise<number> {
  const parsed = parseClientArgs(argv, io.env);
  if (parsed.kind === 'help') {
    io.out(CLIENT_HELP);
    return 0;
  }
  if (parsed.kind === 'problem') {
    io.err(`${parsed.text}\n`);
    return 2;
  }
  return chat(withName(parsed.options), io);
}

// With a token the server vouches for who we are; without one, two windows should not look the same.
function withName(options: ClientOptions): ClientOptions {
  if (options.name !== undefined || options.token !== undefined) return options;
  return { ...options, name: `guest-${randomUUID().slice(0, 4)}` };
}

async function chat(options: ClientOptions, io: ClientIo): Promise<number> {
  const screen = createScreen(io);
  const format = createFormat({ colours: io.isTty && !io.env.NO_COLOR, now: Date.now });
  let finish: (end: { code: number; why?: string }) => void = () => undefined;
  const finished = new Promise<{ code: number; why?: string }>((resolve) => {
    finish = resolve;
  });
  const giveUp = createDeadline(PIPE_PATIENCE_MS, () => finish({ code: 1, why: 'gave up: no connection for 30 s' }));
  const talk = createTalk(options, {
    narrator: createNarrator({ format, print: screen.print, areIdsUsers: options.token !== undefined }),
    prompt: screen.prompt,
    connection: (isUp) => (isUp || io.isTty ? giveUp.cancel() : giveUp.start()),
    ended: (why) => finish({ code: 1, why }),
  });
  screen.onInterrupt(() => finish({ code: io.isTty ? 0 : 130 }));
  if (!io.isTty) giveUp.start();
  talk.start();
  const reading = io.isTty ? listen(screen, talk) : pour(screen, talk);
  reading.then((code) => finish({ code })).catch((error: Error) => finish({ code: 1, why: error.message }));
  const { code, why } = await finished;
  giveUp.cancel();
  screen.close();
  if (why !== undefined) io.err(`${why}\n`);
  await talk.stop();
  return code;
}

/** A person's lines: a slow answer does not hold back the next one. */
async function listen(screen: Screen, talk: Talk): Promise<number> {
  screen.prompt('connecting> ');
  for await (const line of screen.lines()) {
    if (line.trim() === '/quit') return 0;
    // Rejects only once the talk has ended, which is told elsewhere.
    talk.handle(line).catch(() => undefined);
  }
  return 0;
}

/** The lines of a pipe: each waits for the answer to the one before. */
async function pour(screen: Screen, talk: Talk): Promise<number> {
  let isAccepted = await talk.ready();
  for await (const line of screen.lines()) {
    const outcome = await talk.handle(line, { isPatient: true });
    if (outcome === 'quit') break;
    isAccepted &&= outcome === 'done';
  }
  return isAccepted ? 0 : 1;
}

interface Deadline {
  start(): void;
  cancel(): void;
}

function createDeadline(ms: number, call: () => void): Deadline {
  let timer: NodeJS.Timeout | undefined;
  const cancel = () => clearTimeout(timer);
  return {
    cancel,
    start() {
      cancel();
      timer = setTimeout(call, ms);
    },
  };
}
