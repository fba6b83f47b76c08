import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startOps, type World } from './ops-rig.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Starts a port that takes signals. They are delivered to its listeners only, and the exit is only noted. */
async function startWithSignals(given: Partial<World>) {
  const before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]));
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const rig = await startOps({ signals: true }, given);
  const added = (signal: (typeof SIGNALS)[number]) =>
    process.listeners(signal).filter((listener) => !before.get(signal)?.includes(listener));
  onTestFinished(() => {
    for (const signal of SIGNALS) for (const listener of added(signal)) process.off(signal, listener);
    exit.mockRestore();
  });
  const send = (signal: (typeof SIGNALS)[number]) => {
    for (const listener of added(signal)) listener(signal);
  };
  return { ...rig, send, exits: () => exit.mock.calls.map(([code]) => code), added };
}

describe('a signal', () => {
  it('runs everything before the end, answers probes meanwhile, closes the port and exits 0', async () => {
    let end = (): void => undefined;
    const { send, exits, get, url, world, ops } = await startWithSignals({
      beforeShutdown: () => new Promise<void>((resolve) => (end = resolve)),
    });
    send('SIGTERM');
    world.phase = 'draining';
    world.isReady = false;
    expect((await get('/livez')).status).toBe(200);
    expect(await get('/readyz')).toMatchObject({ status: 503, body: { phase: 'draining' } });
    expect((await get('/metrics')).status).toBe(200);
    expect(exits()).toEqual([]);
    end();
    await eventually(() => exits().length > 0, 'the exit');
    expect(exits()).toEqual([0]);
    expect(ops.url()).toBeUndefined();
    await expect(fetch(url)).rejects.toThrow();
  });

  it('starts nothing anew when it is repeated, or another one follows', async () => {
    let runs = 0;
    let end = (): void => undefined;
    const { send, exits } = await startWithSignals({
      beforeShutdown() {
        runs += 1;
        return new Promise<void>((resolve) => (end = resolve));
      },
    });
    send('SIGTERM');
    send('SIGTERM');
    send('SIGINT');
    end();
    await eventually(() => exits().length > 0, 'the exit');
    send('SIGINT');
    expect(runs).toBe(1);
    expect(exits()).toEqual([0]);
  });

  it('exits 0 although everything that ends before the end includes this port', async () => {
    let stop = async (): Promise<void> => undefined;
    const { send, exits, ops, lines } = await startWithSignals({ beforeShutdown: () => stop() });
    stop = () => ops.stop();
    send('SIGTERM');
    await eventually(() => exits().length > 0, 'the exit');
    expect(exits()).toEqual([0]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('exits 1, and says why, when what comes before the end fails', async () => {
    const fault = new Error('drain broke');
    const { send, exits, lines } = await startWithSignals({ beforeShutdown: () => Promise.reject(fault) });
    send('SIGINT');
    await eventually(() => exits().length > 0, 'the exit');
    expect(exits()).toEqual([1]);
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { err: fault } }]);
  });

  it('is left to others unless the port was told to take it', async () => {
    const before = SIGNALS.map((signal) => process.listenerCount(signal));
    await startOps({ signals: false });
    expect(SIGNALS.map((signal) => process.listenerCount(signal))).toEqual(before);
  });

  it('has one listener and no second one', async () => {
    const { added } = await startWithSignals({});
    expect(SIGNALS.map((signal) => added(signal).length)).toEqual([1, 1]);
  });
});
