/** The `check` command: whether an installation does what it promises, seen from outside. `helm test` runs it. */
import { checkAffinity } from './check-affinity.ts';
import { checkBroadcast } from './check-broadcast.ts';
import type { CheckContext, RunCheck } from './check-context.ts';
import { CHECK_HELP, type CheckName, CheckUsageError, parseCheckArgs, secretFrom } from './check-options.ts';
import { checkPublish } from './check-publish.ts';
import { checkReadiness } from './check-readiness.ts';
import { checkRedis } from './check-redis.ts';
import { serversNamed } from './check-servers.ts';
import { runToken } from './token.ts';

/** Where the command writes and what it knows of its environment. */
export interface CheckIo {
  out(text: string): void;
  err(text: string): void;
  readonly env: NodeJS.ProcessEnv;
}

const CHECKS: Readonly<Record<CheckName, RunCheck>> = {
  affinity: checkAffinity,
  broadcast: checkBroadcast,
  redis: checkRedis,
  readiness: checkReadiness,
  publish: checkPublish,
};
const PATIENCE_MS = 10_000;

/** Runs the command; `argv` is what follows its name. Resolves with the exit code: 0, 1 when a check failed, 2 when the command line is wrong. */
export async function runCheck(argv: readonly string[], io: CheckIo): Promise<number> {
  try {
    const options = parseCheckArgs(argv);
    if (options === undefined) {
      io.out(CHECK_HELP);
      return 0;
    }
    const context: CheckContext = {
      url: options.url,
      api: options.api,
      apiKey: secretFrom(io.env, 'SOCKETFLEET_API_KEY'),
      token: await tokenFrom(io.env),
      patienceMs: PATIENCE_MS,
      findServers: () => serversNamed(options.servers, options),
    };
    return await runAll(options.names, context, io);
  } catch (error) {
    if (!(error instanceof CheckUsageError)) throw error;
    io.err(`socketfleet check: ${error.message}`);
    return 2;
  }
}

/** Runs checks one after the other and prints a line each, and one with the counts. Resolves with the exit code. */
export async function runAll(
  names: readonly CheckName[],
  context: CheckContext,
  io: Pick<CheckIo, 'out'>,
): Promise<number> {
  let failed = 0;
  for (const name of names) {
    try {
      io.out(`ok      ${name}: ${await CHECKS[name](context)}`);
    } catch (error) {
      failed++;
      io.out(`FAILED  ${name}: ${(error as Error).message}`);
    }
  }
  io.out(`${names.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** A token for every room: the one that was given, or one that the shared secret signs. */
async function tokenFrom(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const given = secretFrom(env, 'SOCKETFLEET_TOKEN');
  if (given !== undefined) return given;
  if (!env.SOCKETFLEET_JWT_SECRET && !env.SOCKETFLEET_JWT_SECRET_FILE) return undefined;
  const [out, err]: [string[], string[]] = [[], []];
  const io = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text), env };
  const code = await runToken(['--sub', 'socketfleet-check', '--rooms', '*', '--ttl', '15m'], io);
  if (code !== 0) throw new CheckUsageError(err.join('').trim());
  return out.join('').trim();
}
