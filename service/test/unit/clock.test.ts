import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';

const DAY_MS = 86_400_000;

describe('the system clock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([1, 24, 25, 30, 50, 365])('waits %i days when told to', (days) => {
    const call = vi.fn();
    systemClock.after(days * DAY_MS, call);
    vi.advanceTimersByTime(days * DAY_MS - 1);
    expect(call).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(call).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(400 * DAY_MS);
    expect(call).toHaveBeenCalledOnce();
  });

  it('can cancel a long wait at any time, and twice', () => {
    const call = vi.fn();
    const early = systemClock.after(30 * DAY_MS, call);
    early();
    early();
    const late = systemClock.after(30 * DAY_MS, call);
    vi.advanceTimersByTime(26 * DAY_MS);
    late();
    vi.advanceTimersByTime(365 * DAY_MS);
    expect(call).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('cancels what has fired without complaint', () => {
    const cancel = systemClock.after(1, () => undefined);
    vi.advanceTimersByTime(1);
    expect(cancel).not.toThrow();
  });

  it.each([0, -5, -Infinity])('calls soon, but not at once, after %d ms', (ms) => {
    const call = vi.fn();
    systemClock.after(ms, call);
    expect(call).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(call).toHaveBeenCalledOnce();
  });

  it('never fires for a time without end', () => {
    const call = vi.fn();
    const cancel = systemClock.after(Number.MAX_VALUE, call);
    vi.advanceTimersByTime(1000 * DAY_MS);
    expect(call).not.toHaveBeenCalled();
    cancel();
  });

  it('repeats until it is cancelled', () => {
    const call = vi.fn();
    const cancel = systemClock.every(100, call);
    vi.advanceTimersByTime(350);
    expect(call).toHaveBeenCalledTimes(3);
    cancel();
    vi.advanceTimersByTime(1000);
    expect(call).toHaveBeenCalledTimes(3);
  });

  it('does not keep the process alive', () => {
    const unref = vi.fn();
    vi.spyOn(globalThis, 'setTimeout').mockImplementation((() => ({ unref })) as unknown as typeof setTimeout);
    vi.spyOn(globalThis, 'setInterval').mockImplementation((() => ({ unref })) as unknown as typeof setInterval);
    systemClock.after(1, () => undefined);
    systemClock.every(1, () => undefined);
    expect(unref).toHaveBeenCalledTimes(2);
    vi.restoreAllMocks();
  });
});

describe('the time of the system clock', () => {
  it('counts monotonically beside the wall clock', () => {
    const first = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(first);
    expect(Math.abs(systemClock.wall() - Date.now())).toBeLessThan(1000);
  });
});
