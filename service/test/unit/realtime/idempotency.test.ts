import { describe, expect, it } from 'vitest';
import type { PublishResult } from '../../../src/contracts.ts';
import { createIdempotency } from '../../../src/realtime/idempotency.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const WINDOW_MS = 1000;

function rig(windowMs = WINDOW_MS) {
  const clock = createFakeClock();
  const idempotency = createIdempotency(windowMs, clock);
  let published = 0;
  const publish = async (): Promise<PublishResult> => ({ id: `id-${++published}`, duplicate: false });
  return { clock, published: () => published, publish, once: idempotency.once };
}

/** A publish that ends when it is told to, and counts its calls. */
function pendingPublish() {
  let settle!: { resolve(result: PublishResult): void; reject(error: Error): void };
  const result = new Promise<PublishResult>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const pending = {
    calls: 0,
    publish() {
      pending.calls++;
      return result;
    },
    ...settle,
  };
  return pending;
}

describe('an idempotency key', () => {
  it('is published once, and answers the same id within its window', async () => {
    const { clock, once, publish, published } = rig();
    expect(await once('key', publish)).toEqual({ id: 'id-1', duplicate: false });
    clock.advance(WINDOW_MS - 1);
    expect(await once('key', publish)).toEqual({ id: 'id-1', duplicate: true });
    expect(published()).toBe(1);
  });

  it('is new again when its window is over, which a repeat does not lengthen', async () => {
    const { clock, once, publish } = rig();
    await once('key', publish);
    clock.advance(WINDOW_MS / 2);
    await once('key', publish);
    clock.advance(WINDOW_MS / 2);
    expect(await once('key', publish)).toEqual({ id: 'id-2', duplicate: false });
  });

  it('used twice at the same time is published once, and both wait for the one answer', async () => {
    const { once } = rig();
    const pending = pendingPublish();
    const answers = Promise.all([1, 2, 3].map(() => once('key', pending.publish)));
    pending.resolve({ id: 'only', duplicate: false });
    expect((await answers).map(({ id, duplicate }) => [id, duplicate])).toEqual([
      ['only', false],
      ['only', true],
      ['only', true],
    ]);
    expect(pending.calls).toBe(1);
  });

  it('does not meet another one', async () => {
    const { once, publish, published } = rig();
    for (const key of ['key', 'Key', 'key ', '', '__proto__', 'constructor']) {
      expect((await once(key, publish)).duplicate).toBe(false);
    }
    expect(published()).toBe(6);
  });

  it('is forgotten when its publish fails, for all who waited for it', async () => {
    const { once, publish } = rig();
    const pending = pendingPublish();
    const answers = Promise.allSettled([once('key', pending.publish), once('key', pending.publish)]);
    pending.reject(new Error('no link'));
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await once('key', publish)).toEqual({ id: 'id-1', duplicate: false });
  });

  it('is forgotten when its publish throws at once', async () => {
    const { once, publish } = rig();
    const throwing = () => {
      throw new Error('no');
    };
    await expect(once('key', throwing)).rejects.toThrow('no');
    expect((await once('key', publish)).duplicate).toBe(false);
  });

  it('is not forgotten by a failure that comes after its window, when it is another publish by then', async () => {
    const { clock, once, publish, published } = rig();
    const pending = pendingPublish();
    const late = once('key', pending.publish);
    clock.advance(WINDOW_MS);
    await once('key', publish);
    pending.reject(new Error('late'));
    await expect(late).rejects.toThrow('late');
    expect((await once('key', publish)).duplicate).toBe(true);
    expect(published()).toBe(1);
  });

  it('is never remembered with a window of 0', async () => {
    const { once, publish } = rig(0);
    await once('key', publish);
    expect((await once('key', publish)).duplicate).toBe(false);
  });
});

describe('the memory for keys', () => {
  it('is bounded: the oldest go first', async () => {
    const { once, publish } = rig(Number.MAX_SAFE_INTEGER);
    const answer = { id: 'x', duplicate: false };
    const most = 200_000;
    for (let i = 0; i <= most + 1; i++) void once(`key-${i}`, async () => answer);
    expect((await once('key-0', publish)).duplicate).toBe(false);
    expect((await once(`key-${most}`, publish)).duplicate).toBe(true);
  });
});
