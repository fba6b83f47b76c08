import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../src');
const ROOT = join(import.meta.dirname, '../..');
/** Files at the top of src that any module may import: types, and one table of plain data. */
const GROUND = new Set(['contracts.ts', 'refusals.ts']);
/** What roots may import of each module. */
const DOORS = new Set([
  'app/load-app.ts',
  'app/conformance.ts',
  'fanout/memory.ts',
  'fanout/redis.ts',
  'identity/identities.ts',
  'lifecycle/drain.ts',
  'lifecycle/phase.ts',
  'ops/log.ts',
  'ops/metrics.ts',
  'ops/ops.ts',
  'ops/summary.ts',
  'presence/memory.ts',
  'presence/redis.ts',
  'realtime/own-port.ts',
  'realtime/realtime.ts',
  'realtime/room-names.ts',
  'realtime/socket-ids.ts',
  'fleet/fleet.ts',
  'fleet/directory.ts',
  'fleet/idempotency-keys.ts',
]);
const ROOTS_OF_CLI = new Set(['cli/token.ts', 'cli/client.ts', 'cli/check.ts']);
/** Packages that live in one module; types may be named anywhere. */
const HOMES: Record<string, readonly string[]> = {
  'socket.io': ['realtime'],
  'engine.io': ['realtime'],
  'socket.io-adapter': ['fanout', 'realtime'],
  ioredis: ['fanout'],
  '@socket.io/redis-adapter': ['fanout'],
  '@godaddy/terminus': ['ops'],
  'prom-client': ['ops'],
  pino: ['ops'],
  'pino-pretty': ['ops'],
  hono: ['ops'],
  '@hono/node-server': ['ops'],
  jose: ['identity', 'cli'],
  'socket.io-client': ['cli'],
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly isTypeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), 'utf8');
  const statements = text.matchAll(
    /(?:^|\n)(?:import|export)\s+(type\s+)?[^;'"]*?from\s+['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/g,
  );
  return [...statements].map((match) => ({
    file,
    target: specifier(file, match[2] ?? match[3] ?? ''),
    isTypeOnly: match[1] !== undefined,
  }));
});

function specifier(file: string, target: string): string {
  return target.startsWith('.') ? relative(SRC, resolve(SRC, dirname(file), target)) : target;
}
const moduleOf = (file: string) => (file.includes('/') ? (file.split('/')[0] ?? '') : '');
const isOwn = (target: string) => target.endsWith('.ts');

describe('the house', () => {
  it('lets a module import only its own folder and the ground floor', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        moduleOf(file) !== '' &&
        isOwn(target) &&
        moduleOf(target) !== moduleOf(file) &&
        !GROUND.has(target) &&
        !(moduleOf(file) === 'cli' && target === 'setting-kinds.ts'),
    );
    expect(wrong).toEqual([]);
  });

  it('lets roots import only the doors of modules', () => {
    const wrong = imports.filter(
      ({ file, target, isTypeOnly }) =>
        moduleOf(file) === '' &&
        isOwn(target) &&
        moduleOf(target) !== '' &&
        !isTypeOnly &&
        !DOORS.has(target) &&
        !ROOTS_OF_CLI.has(target),
    );
    expect(wrong).toEqual([]);
  });

  it('gives every package one home', () => {
    const wrong = imports.filter(
      ({ file, target, isTypeOnly }) =>
        !isTypeOnly && HOMES[target] !== undefined && !HOMES[target].includes(moduleOf(file)),
    );
    expect(wrong).toEqual([]);
  });

  it('touches the process only at its edge', () => {
    const wrong = files.filter((file) => {
      if (file === 'main.ts') return false;
      const text = readFileSync(join(SRC, file), 'utf8');
      return /\bprocess\.(?:env|exit|exitCode|on|once|kill|argv|stdin|stdout|stderr|send)\b/.test(text);
    });
    expect(wrong).toEqual([]);
  });

  it('keeps contracts free of run-time code', () => {
    const text = readFileSync(join(SRC, 'contracts.ts'), 'utf8');
    expect(text).not.toMatch(/^(?:export )?(?:const|let|function|class|enum)\b/m);
    expect(text).not.toMatch(/^import (?!type )/m);
  });

  it('has no file of more than 400 lines', () => {
    const long = files.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 400);
    expect(long).toEqual([]);
  });

  it('has no import circle', () => {
    const next = new Map<string, string[]>();
    for (const { file, target, isTypeOnly } of imports)
      if (isOwn(target) && !isTypeOnly) next.set(file, [...(next.get(file) ?? []), target]);
    const circles: string[] = [];
    const visit = (file: string, path: string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      else for (const target of next.get(file) ?? []) visit(target, [...path, file]);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('names its files in kebab-case, and none of them index, utils, helpers or types', () => {
    expect(files.filter((file) => !/^(?:[a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(file))).toEqual([]);
    expect(files.filter((file) => /(?:^|\/)(?:index|utils|helpers|types)\.ts$/.test(file))).toEqual([]);
  });

  it('pins every dependency to one version', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    expect(
      Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) => !/^\d/.test(version)),
    ).toEqual([]);
  });
});
