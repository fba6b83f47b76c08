import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/contracts.ts';
import { createCheckRunner } from '../../../src/ops/check-runner.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const options = { timeoutMs: 2_000, cacheMs: 1_000 };

function check(name: string, answer: () => Promise<object>): Check & { calls(): number } {
  let calls = 0;
  return {
    name,
    gates: 'ready',
    calls: () => calls,
    check() {
      calls += 1;
      return answer();
    },
  };
}
const hang = () => new Promise<object>(() => undefined);

describe('the check runner', () => {
  it('reports details of what is well and the reason of what is not, in the order of the checks', async () => {
    const checks = [
      check('good', async () => ({ lag: 3 })),
      check('bad', () => Promise.reject(new Error('redis is away'))),
    ];
    const runner = createCheckRunner(options, { checks, clock: createFakeClock() });
    expect(await runner.results()).toEqual([
      { name: 'good', gates: 'ready', ok: true, details: { lag: 3 } },
      { name: 'bad', gates: 'ready', ok: false, reason: 'redis is away' },
    ]);
  });

  it('takes a check that throws instead of rejecting for a failing one', async () => {
    const broken: Check = {
      name: 'broken',
      gates: 'ready',
      check() {
        throw new Error('not even a promise');
      },
    };
    const [result] = await createCheckRunner(options, { checks: [broken], clock: createFakeClock() }).results();
    expect(result).toMatchObject({ ok: false, reason: 'not even a promise' });
  });

  it('fails a check that does not answer in time, without holding up the others', async () => {
    const clock = createFakeClock();
    const runner = createCheckRunner(options, {
      checks: [check('slow', hang), check('good', async () => ({}))],
      clock,
    });
    const results = runner.results();
    clock.advance(2_000);
    expect(await results).toMatchObject([
      { name: 'slow', ok: false, reason: 'no answer within 2000 ms' },
      { name: 'good', ok: true },
    ]);
  });

  it('does not ask a hanging check again before it has settled', async () => {
    const clock = createFakeClock();
    let settle = (_: object): void => undefined;
    const slow = check('slow', () => new Promise<object>((resolve) => (settle = resolve)));
    const runner = createCheckRunner(options, { checks: [slow], clock });
    for (let round = 0; round < 3; round++) {
      const results = runner.results();
      clock.advance(3_000);
      expect(await results).toMatchObject([{ ok: false }]);
      clock.advance(1_000);
    }
    expect(slow.calls()).toBe(1);
    const late = runner.results();
    settle({ back: true });
    expect(await late).toMatchObject([{ ok: true, details: { back: true } }]);
    clock.advance(1_000);
    void runner.results();
    expect(slow.calls()).toBe(2);
  });

  it('shares one round between callers that come at the same time', async () => {
    const one = check('one', async () => ({}));
    const runner = createCheckRunner(options, { checks: [one], clock: createFakeClock() });
    await Promise.all([runner.results(), runner.results(), runner.results()]);
    expect(one.calls()).toBe(1);
  });

  it('serves answers again for a second and then asks anew', async () => {
    const clock = createFakeClock();
    const one = check('one', async () => ({}));
    const runner = createCheckRunner(options, { checks: [one], clock });
    await runner.results();
    clock.advance(999);
    await runner.results();
    expect(one.calls()).toBe(1);
    clock.advance(1);
    await runner.results();
    expect(one.calls()).toBe(2);
  });

  it('leaves no timer behind once the checks have answered', async () => {
    const clock = createFakeClock();
    await createCheckRunner(options, { checks: [check('one', async () => ({}))], clock }).results();
    expect(clock.pending()).toBe(0);
  });

  it('remembers the latest results for those who cannot wait', async () => {
    const runner = createCheckRunner(options, { checks: [check('one', async () => ({}))], clock: createFakeClock() });
    expect(runner.latest()).toEqual([]);
    await runner.results();
    expect(runner.latest()).toMatchObject([{ name: 'one', ok: true }]);
  });

  it('hides passwords in reasons: probes need no key', async () => {
    const leaky = check('redis', () => Promise.reject(new Error('connect redis://:hunter2@redis:6379 failed')));
    const [result] = await createCheckRunner(options, { checks: [leaky], clock: createFakeClock() }).results();
    expect(result?.reason).toBe('connect redis://[hidden]@redis:6379 failed');
  });

  it('refuses two checks of one name', () => {
    const checks = [check('redis', hang), check('redis', hang)];
    expect(() => createCheckRunner(options, { checks, clock: createFakeClock() })).toThrow('redis');
  });
});
