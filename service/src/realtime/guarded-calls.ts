/** Calls that survive what they call. */

export type Listener = (...args: unknown[]) => unknown;

/** Calls raw listeners, so that `once` wrappers remove themselves, and survives each of them. */
export function callListeners(
  listeners: readonly unknown[],
  { self, args }: { readonly self: object; readonly args: readonly unknown[] },
  onFault: (error: unknown) => void,
): boolean {
  for (const listener of listeners) callGuarded(() => (listener as Listener).apply(self, [...args]), onFault);
  return listeners.length > 0;
}

/** Calls, and hands over what is thrown or rejected with. */
export function callGuarded(call: () => unknown, onFault: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, onFault);
  } catch (error) {
    onFault(error);
  }
}

/** The same function; what it throws or rejects with is handed over. */
export function guarded(listener: Listener, onFault: (error: unknown) => void): Listener {
  return function (this: unknown, ...args) {
    callGuarded(() => listener.apply(this, args), onFault);
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
