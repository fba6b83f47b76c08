import { come, upgraded } from './check-clients.ts';
import type { CheckContext } from './check-context.ts';

const SESSIONS = 20;

/** Clients begin with polling and upgrade: both must reach the server that has their session. */
export async function checkAffinity(context: CheckContext): Promise<string> {
  for (let number = 1; number <= SESSIONS; number++) {
    try {
      const comer = await come(context.url, 'polling first', context);
      await upgraded(comer, context.patienceMs).finally(comer.leave);
    } catch (error) {
      throw new Error(`session ${number} of ${SESSIONS} through ${context.url}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  return `${SESSIONS} of ${SESSIONS} sessions began with polling and upgraded, through ${context.url}`;
}
