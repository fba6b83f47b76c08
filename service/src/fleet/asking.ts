/** Questions to other servers, and their answers, over the bus. */
import { randomBytes } from 'node:crypto';
import type { Bus, Cancel, Clock, Directory, Log } from '../contracts.ts';
import type { Leases } from './leases.ts';
import {
  type AnswerTo,
  answerTo,
  type Message,
  MOST_MESSAGE,
  parseAnswer,
  parseMessage,
  type Question,
  topicOf,
} from './questions.ts';

export interface Asking {
  start(): void;
  stop(): void;
  /** Resolves with what these servers answered: when all have, when one answer is enough, or at the deadline. */
  ask<Q extends Question>(
    question: Q,
    about: string,
    of: { tags: readonly string[]; isEnough?: (answer: AnswerTo<Q>) => boolean },
  ): Promise<Answers<Q>>;
}

export interface Answers<Q extends Question> {
  readonly values: readonly AnswerTo<Q>[];
  /** False when an answer is missing or lacks something. */
  readonly isWhole: boolean;
}

interface Pending {
  readonly missing: Set<string>;
  take(value: unknown, isWhole: boolean): void;
  end(): void;
}

const MOST_PENDING = 1_000;

export function createAsking(
  options: { readonly deadlineMs: number },
  deps: {
    readonly local: Directory;
    readonly leases: Leases;
    readonly bus: Bus;
    readonly clock: Clock;
    readonly log: Log;
  },
): Asking {
  const { local, leases, bus, clock, log } = deps;
  const pending = new Map<string, Pending>();
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  let cancel: Cancel | undefined;

  function listen(): void {
    cancel?.();
    cancel = bus.subscribe(topicOf(leases.own().tag), (payload) => {
      const message = parseMessage(payload);
      if (message === undefined) log.debug({ bytes: payload.length }, 'foreign message to this server');
      else if ('ask' in message) void answer(message);
      else hear(message);
    });
  }

  async function answer({ id, from, ask, about }: Extract<Message, { ask: Question }>): Promise<void> {
    try {
      const { value, isWhole } = await answerTo(local, ask, about);
      const payload = JSON.stringify({ id, from: leases.own().tag, value, isWhole });
      if (payload.length > MOST_MESSAGE) throw new Error(`the answer has ${payload.length} characters`);
      bus.publish(topicOf(from), payload);
    } catch (error) {
      log.error({ err: error, ask }, 'question of another server could not be answered');
    }
  }

  function hear({ id, from, value, isWhole }: Exclude<Message, { ask: Question }>): void {
    const asked = pending.get(id);
    if (asked?.missing.delete(from)) asked.take(value, isWhole);
  }

  leases.onTagLost(() => {
    if (cancel !== undefined) listen();
  });

  return {
    start: listen,
    stop() {
      cancel?.();
      cancel = undefined;
      for (const asked of pending.values()) asked.end();
    },
    ask(question, about, { tags, isEnough }) {
      if (tags.length === 0) return Promise.resolve({ values: [], isWhole: true });
      if (pending.size >= MOST_PENDING) return Promise.resolve({ values: [], isWhole: false });
      const id = `${prefix}${(count++).toString(36)}`;
      const missing = new Set(tags);
      const values: AnswerTo<typeof question>[] = [];
      let isEverythingWhole = true;
      return new Promise((resolve) => {
        const end = () => {
          cancelDeadline();
          pending.delete(id);
          resolve({ values, isWhole: missing.size === 0 && isEverythingWhole });
        };
        const cancelDeadline = clock.after(options.deadlineMs, end);
        const take = (value: unknown, isWhole: boolean) => {
          const parsed = parseAnswer(question, value);
          if (parsed === undefined || !isWhole) isEverythingWhole = false;
          if (parsed !== undefined) values.push(parsed);
          if (missing.size === 0 || (parsed !== undefined && isEnough?.(parsed))) end();
        };
        pending.set(id, { missing, take, end });
        const payload = JSON.stringify({ id, from: leases.own().tag, ask: question, about });
        for (const tag of missing) bus.publish(topicOf(tag), payload);
      });
    },
  };
}
