/** npm run bench: measures Socketfleet beside a bare stock Socket.IO server. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRedis } from '../scripts/find-redis.mjs';
import { pinnableCores, pinSelf } from './lib/child-process.ts';
import { circumstancesOf } from './lib/circumstances.ts';
import { onFleet } from './lib/on-fleet.ts';
import { onServer } from './lib/on-server.ts';
import { type Options, parseOptions, USAGE, UsageError } from './lib/options.ts';
import { createProgress } from './lib/progress.ts';
import { jsonReport, markdownReport, type Report, textReport } from './lib/report.ts';
import { type Playable, type Run, runSuite, type SuiteResult } from './lib/run-suite.ts';
import { FULL, QUICK } from './lib/scales.ts';
import { suiteChart } from './lib/suite-chart.ts';
import { bystanderSuite } from './suites/bystander.ts';
import { connectSuite } from './suites/connect.ts';
import { deliverySuite } from './suites/delivery.ts';
import { latencySuite } from './suites/latency.ts';
import { memorySuite } from './suites/memory.ts';
import { publishSuite } from './suites/publish.ts';

const COMMANDS: Readonly<Record<string, readonly Playable[]>> = {
  server: [deliverySuite, memorySuite, connectSuite].map(onServer),
  redis: [latencySuite, bystanderSuite, publishSuite].map(onFleet),
};

async function main(args: readonly string[]): Promise<void> {
  const names = Object.entries(COMMANDS).map(([name, suites]) => [name, suites.map((suite) => suite.name)] as const);
  const options = parseOptions(args, Object.fromEntries(names));
  if (options.isHelp) return void process.stdout.write(`${USAGE}\n`);
  const report = await measure(options);
  process.stdout.write(`${textReport(report)}\n`);
  write(report, options);
}

async function measure(options: Options): Promise<Report> {
  const startedAt = Date.now();
  const progress = createProgress(process.stderr, () => (Date.now() - startedAt) / 1000);
  const scale = options.isQuick ? QUICK : FULL;
  const cores = pinnableCores();
  if (cores !== undefined) pinSelf(cores.clients);
  const run: Run = {
    cores,
    nodeFlags: options.semiSpaceMb === undefined ? [] : [`--max-semi-space-size=${options.semiSpaceMb}`],
    redis: options.command === 'redis' ? await findRedis({ own: true, say: progress.say }) : undefined,
    scale: { ...scale, rounds: options.rounds ?? scale.rounds },
    say: progress.say,
  };
  try {
    const suites: SuiteResult[] = [];
    for (const suite of COMMANDS[options.command] ?? []) {
      if (options.only === undefined || options.only === suite.name) suites.push(await runSuite(suite, run));
    }
    return { circumstances: circumstancesOf({ options, run, startedAt }), suites };
  } finally {
    progress.done();
  }
}

function write(report: Report, { jsonFile, outFolder }: Options): void {
  if (jsonFile !== undefined) writeFileSync(jsonFile, jsonReport(report));
  if (outFolder === undefined) return;
  mkdirSync(outFolder, { recursive: true });
  writeFileSync(join(outFolder, 'summary.md'), `${markdownReport(report)}\n`);
  for (const suite of report.suites) writeFileSync(join(outFolder, `${suite.name}.svg`), suiteChart(suite));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(isUsage ? `${text}\n\n${USAGE}\n` : `the benchmark failed: ${text}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
