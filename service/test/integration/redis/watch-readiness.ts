import { onTestFinished } from 'vitest';
import type { Node } from './installation.ts';

/** Asks for readiness all the time; `turns` are the answers each time that they changed. */
export function watchReadiness(node: Node): { readonly turns: boolean[] } {
  const turns: boolean[] = [];
  let isOver = false;
  const look = async () => {
    while (!isOver) {
      const isReady = await node.ready();
      if (turns.at(-1) !== isReady) turns.push(isReady);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const looking = look();
  onTestFinished(async () => {
    isOver = true;
    await looking;
  });
  return { turns };
}

/** Settings with which readiness follows Redis within a second. */
export function readinessEnv(policy: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    SOCKETFLEET_READINESS: policy,
    SOCKETFLEET_READINESS_GRACE_MS: '600',
    SOCKETFLEET_READINESS_RECOVER_MS: '700',
    ...more,
  };
}
