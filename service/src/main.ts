/** Process edge: arguments, environment, signals and exit codes. Everything below returns or throws. */
import { type Config, ConfigError, parseConfig, printableConfig } from './config.ts';
import { helpText } from './help.ts';
import { createServer, type RunningServer } from './server.ts';

/** Documented in the README: 0 after a drain, 1 after a fault, 2 for settings or arguments, 130 for a second Ctrl-C. */
const EXIT = { fault: 1, usage: 2, interrupted: 130 } as const;
const FAULT_DEADLINE_MS = 5_000;

async function main(argv: readonly string[]): Promise<void> {
  const [command, ...rest] = argv;
  if (command === 'token') {
    const { runToken } = await import('./cli/token.ts');
    process.exitCode = await runToken(rest, { ...terminal, env: process.env });
  } else if (command === 'client') {
    const { runClient } = await import('./cli/client.ts');
    const onInterrupt = (call: () => void) => void process.on('SIGINT', call);
    const isTty = process.stdin.isTTY === true && process.stdout.isTTY === true;
    process.exitCode = await runClient(rest, {
      // Its prompt and the echo of keys are no lines.
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      columns: () => process.stdout.columns,
      env: process.env,
      input: process.stdin,
      isTty,
      onInterrupt,
    });
    process.stdin.destroy();
  } else if (command === 'check') {
    const { runCheck } = await import('./cli/check.ts');
    process.exitCode = await runCheck(rest, { ...terminal, env: process.env });
  } else if (command === undefined || command === '--print-config') {
    await serve(command === '--print-config');
  } else if (command === '--help' || command === '-h' || command === 'help') {
    terminal.out(helpText());
  } else {
    terminal.err(`unknown argument ${command}; --help shows what there is`);
    process.exitCode = EXIT.usage;
  }
}

const terminal = {
  out: (text: string) => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`),
  err: (text: string) => void process.stderr.write(text.endsWith('\n') ? text : `${text}\n`),
};

async function serve(isPrintOnly: boolean): Promise<void> {
  const config = parseConfig(process.env);
  if (isPrintOnly) {
    for (const [name, value] of Object.entries(printableConfig(config))) terminal.out(`${name}=${value}`);
    return;
  }
  const server = createServer(config, { folder: process.cwd(), signals: true, isTty: process.stdout.isTTY === true });
  endOnFault(server);
  hurryOnInterrupt(server);
  try {
    await server.start();
  } catch (error) {
    const isSetting = (error as NodeJS.ErrnoException).code === 'ERR_SETTING';
    if (!isSetting) server.log.fatal({ err: error }, 'cannot start');
    terminal.err(startProblem(error, config));
    await server.stop().catch(() => undefined);
    process.exit(isSetting ? EXIT.usage : EXIT.fault);
  }
  if (config.demo) terminal.out(whatToTry(server));
}

function startProblem(error: unknown, config: Config): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  const setting = port === config.internalPort ? 'SOCKETFLEET_INTERNAL_PORT' : 'PORT';
  if (code === 'EADDRINUSE')
    return `port ${port} is in use; choose another one, for instance ${setting}=${(port ?? 0) + 1}`;
  if (code === 'EACCES') return `port ${port} needs more rights than this process has; set ${setting} above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `HOST=${config.host} or SOCKETFLEET_INTERNAL_HOST=${config.internalHost} is no address of this machine: ${message}`;
  }
  return message;
}

function whatToTry(server: RunningServer): string {
  const url = server.publicUrl();
  return [
    `listening on ${url}`,
    `  open ${url} in two browser windows, or`,
    `  run in two terminals:  npm run client -- --url ${url} --room lobby`,
    `  probes and metrics:    ${server.internalUrl()}/readyz  /metrics`,
    '  all settings:          node dist/main.js --help',
  ].join('\n');
}

/** After a fault nothing is certain: clients are let go at once and the process ends, for the platform to start anew. */
function endOnFault(server: RunningServer): void {
  let isEnding = false;
  const end = (kind: string) => (error: unknown) => {
    server.log.fatal({ err: error, kind }, 'fault');
    if (isEnding) return;
    isEnding = true;
    const exit = () => process.exit(EXIT.fault);
    setTimeout(exit, FAULT_DEADLINE_MS);
    server.hurry();
    server.drain().then(exit, exit);
  };
  process.on('uncaughtException', end('uncaughtException'));
  process.on('unhandledRejection', end('unhandledRejection'));
}

/** terminus takes the first signal; Ctrl-C skips the waits of the drain, and a second one does not wait at all. */
function hurryOnInterrupt(server: RunningServer): void {
  let interrupts = 0;
  process.on('SIGINT', () => {
    interrupts++;
    if (interrupts > 1) process.exit(EXIT.interrupted);
    server.hurry();
  });
}

// Whoever reads our output may stop reading: | head.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

main(process.argv.slice(2)).catch((error: unknown) => {
  terminal.err(error instanceof ConfigError ? error.message : String((error as Error)?.stack ?? error));
  process.exit(error instanceof ConfigError ? EXIT.usage : EXIT.fault);
});
