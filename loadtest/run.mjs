// `npm run loadtest -- <scenario> -e URL=http://host:port`: runs k6 with a folder for the reports, and watches how much CPU it needs.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { renderHtml } from './lib/report/render-html.js';
import { renderText } from './lib/report/render-text.js';
import { cpuCheck, watchCpu } from './lib/report/watch-cpu.js';

const HERE = import.meta.dirname;
const FAILED = 99;

const [scenario, ...args] = process.argv.slice(2);
const names = readdirSync(join(HERE, 'scenarios')).map((file) => file.replace(/\.js$/, ''));
if (!names.includes(scenario)) {
  if (scenario !== undefined && scenario !== '--help') console.error(`there is no scenario "${scenario}"`);
  console.log(usage());
  process.exit(scenario === '--help' ? 0 : 2);
}

const out = folder();
mkdirSync(out, { recursive: true });
const shown = relative(process.cwd(), out) || '.';
const k6 = spawn(
  process.env.K6 ?? 'k6',
  // The machine's environment stays outside: a URL in it must not become a target.
  [
    'run',
    '--no-usage-report',
    '--include-system-env-vars=false',
    ...absolute(args),
    '-e',
    `OUT=${shown}`,
    join(HERE, 'scenarios', `${scenario}.js`),
  ],
  { stdio: ['ignore', 'inherit', 'pipe'] },
);
// The terminal sends SIGINT to the whole group; k6 ends its run and still reports.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => k6.kill('SIGTERM'));
const cpu = watchCpu(k6.pid);
let failedRequests = 0;
createInterface({ input: k6.stderr }).on('line', (line) => {
  // k6 writes one for each; an outage has thousands, and the report counts them.
  if (line.includes('msg="Request Failed"')) failedRequests++;
  else console.error(line);
});
k6.on('error', (error) => {
  tidy();
  console.error(error.code === 'ENOENT' ? 'k6 is not on PATH: install it, or name it in K6' : String(error));
  process.exit(127);
});
k6.on('close', (code, signal) => {
  if (failedRequests > 0) console.error(`${failedRequests} requests got no answer`);
  process.exit(withCpu(cpu.end(), code ?? (signal === null ? 1 : 130)));
});

function usage() {
  const lines = names.map((name) => {
    const [, question] =
      /question:\s+'([^']+)'/.exec(readFileSync(join(HERE, 'scenarios', `${name}.js`), 'utf8')) ?? [];
    return `  ${name.padEnd(17)} ${question}`;
  });
  return ['usage: npm run loadtest -- <scenario> -e URL=http://host:port [-e NAME=value ...]', '', ...lines].join('\n');
}

function folder() {
  const given = args.findLast((text) => text.startsWith('OUT='));
  if (given !== undefined) return resolve(given.slice('OUT='.length));
  const date = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  return join(HERE, 'results/tmp', `${date}-${scenario}`);
}

/** k6 would look for a file beside its script. */
function absolute(given) {
  return given.map((text) =>
    text.startsWith('TOKEN_FILE=') ? `TOKEN_FILE=${resolve(text.slice('TOKEN_FILE='.length))}` : text,
  );
}

/** Adds what k6 itself cannot see to the reports; the exit code of the whole. */
function withCpu(usage, code) {
  const file = join(out, 'result.json');
  if (!existsSync(file)) {
    tidy();
    return code;
  }
  const result = JSON.parse(readFileSync(file, 'utf8'));
  const check = cpuCheck(usage);
  if (check !== undefined) {
    result.checks.push(check);
    result.generator = usage;
    if (!check.ok) result.verdict = 'invalid';
  }
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(join(out, 'summary.txt'), renderText(result));
  writeFileSync(join(out, 'report.html'), renderHtml(result));
  if (check !== undefined)
    console.log(
      `generator: ${Object.entries(usage)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
    );
  if (check?.ok === false) console.log('verdict: INVALID: k6 had no CPU left');
  console.log(`report: ${join(shown, 'report.html')}`);
  return check?.ok === false && code === 0 ? FAILED : code;
}

function tidy() {
  if (existsSync(out) && readdirSync(out).length === 0) rmdirSync(out);
}
