/** The cluster test: an installation of the chart, stock clients through the ingress, and what a year does to both. */
import { createCrowd } from './lib/crowd.ts';
import { diagnose } from './lib/diagnose.ts';
import { createKubernetes } from './lib/kubernetes.ts';
import { createNamespaces } from './lib/namespace.ts';
import { HELP, type Options, parseOptions } from './lib/options.ts';
import { chosen } from './lib/plan.ts';
import { createPublisher } from './lib/publisher.ts';
import { createRelease } from './lib/release.ts';
import { type Result, resultTable } from './lib/results.ts';
import type { Outcome, Scenario, World } from './lib/scenario.ts';
import { createTokens } from './lib/token.ts';
import { BRAKE } from './lib/under-load.ts';
import { SCENARIOS } from './scenarios/scenarios.ts';

const ROOM = 'load';
const PUBLISH_EVERY_MS = 100;
const started = performance.now();

function say(text: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(0).padStart(4);
  process.stderr.write(`${seconds} s  ${text}\n`);
}

/** Values of the chart for a machine on which everything shares two cores; what is not named is as a user gets it. */
function valuesOf(options: Options): string[] {
  const values = [
    'ingress.enabled=true',
    `ingress.className=${options.ingressClass}`,
    `ingress.hosts={${options.url.hostname}}`,
    `affinity.provider=${options.affinity}`,
    // Its claim is one of the two things that may be left at the end.
    'redis.persistence.enabled=true',
    'drain.endpointWaitSeconds=3',
    'drain.windowSeconds=6',
    'drain.deadlineSeconds=2',
    `settings.handshakesPerSecond=${BRAKE}`,
  ];
  return [...imageValuesOf(options), ...values.flatMap((value) => ['--set', value])];
}

function imageValuesOf({ image, set }: Options): string[] {
  const at = image.lastIndexOf(':');
  return [
    ...['--set', `image.repository=${image.slice(0, at)}`, '--set-string', `image.tag=${image.slice(at + 1)}`],
    ...set.flatMap((value) => ['--set', value]),
  ];
}

function worldOf(options: Options): World {
  const kubernetes = createKubernetes();
  const { namespace } = options;
  const release = createRelease({ name: 'sf', namespace, values: valuesOf(options) }, kubernetes);
  const token = createTokens(async () => (await release.secrets())['jwt-secret'] ?? '');
  const { fullname } = release;
  const publisherOptions = {
    namespace,
    image: options.image,
    apiUrl: `http://${fullname}-internal:9464`,
    secret: `${fullname}-secrets`,
    room: ROOM,
    everyMs: PUBLISH_EVERY_MS,
  };
  return {
    options,
    imageValues: imageValuesOf(options),
    kubernetes,
    namespaces: createNamespaces(kubernetes, options),
    release,
    crowd: createCrowd({ url: options.url.href, clients: options.clients, room: ROOM, token }),
    publisher: createPublisher(publisherOptions, kubernetes),
    token,
    say,
  };
}

async function runAll(world: World): Promise<readonly Result[]> {
  const results: Result[] = [];
  const broken = new Set<string>();
  for (const scenario of chosen(SCENARIOS, world.options.only)) {
    say(scenario.what);
    const start = performance.now();
    const missing = scenario.needs.find((name) => broken.has(name));
    const outcome =
      missing === undefined ? await runOne(world, scenario) : { problems: [], skipped: `${missing} failed` };
    if (missing !== undefined || outcome.isBroken) broken.add(scenario.name);
    results.push({ what: scenario.what, seconds: (performance.now() - start) / 1_000, outcome });
    for (const problem of outcome.problems) say(`  FAILED: ${problem}`);
    if (outcome.problems.length === 0) continue;
    for (const namespace of world.namespaces.names()) process.stderr.write(await diagnose(namespace));
  }
  return results;
}

/** Without an outcome the installation is in no known state, and what needs it makes no sense. */
async function runOne(world: World, scenario: Scenario): Promise<Outcome & { readonly isBroken?: boolean }> {
  try {
    return await scenario.run(world);
  } catch (error) {
    return { problems: [(error as Error).message], isBroken: true };
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if (options.helps) {
    process.stdout.write(HELP);
    return 0;
  }
  const world = worldOf(options);
  const { kubernetes, namespaces, crowd, publisher } = world;
  try {
    await kubernetes.start();
    await namespaces.create(options.namespace);
    const results = await Promise.race([runAll(world), interrupted()]);
    process.stdout.write(`${resultTable(results)}\n`);
    const failed = results.filter(({ outcome }) => outcome.problems.length > 0).length;
    const skipped = results.filter(({ outcome }) => outcome.skipped !== undefined);
    for (const { what, outcome } of skipped) console.log(`SKIPPED ${what}: ${outcome.skipped}`);
    console.log(`${results.length - failed - skipped.length} passed, ${failed} failed, ${skipped.length} skipped`);
    return failed === 0 ? 0 : 1;
  } finally {
    crowd.stop();
    await publisher.stop().catch(() => undefined);
    for (const name of namespaces.names()) await namespaces.remove(name).catch(() => undefined);
    await kubernetes.stop();
  }
}

function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
  });
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
