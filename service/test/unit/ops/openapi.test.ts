import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ApiDeps, mountApi } from '../../../src/ops/api.ts';
import { mountProbes, type ProbeDeps } from '../../../src/ops/probes.ts';
import { API_ROUTES, PROBE_ROUTES, type Route } from '../../../src/ops/routes.ts';
import { REFUSALS } from '../../../src/refusals.ts';

interface Operation {
  readonly responses: Record<string, unknown>;
  readonly security?: unknown[];
  readonly parameters?: { readonly $ref?: string; readonly name?: string; readonly in?: string }[];
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, { enum?: string[] }>;
    readonly parameters: Record<string, { name: string; in: string }>;
  };
}

const text = readFileSync(new URL('../../../docs/openapi.yaml', import.meta.url), 'utf8');
const document = parse(text) as Document;
const routes: readonly Route[] = [...PROBE_ROUTES, ...API_ROUTES];
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

describe('openapi.yaml', () => {
  it('describes exactly the paths and methods that the router has', () => {
    const app = new Hono();
    // Mounting reads nothing from its ports.
    mountProbes(app, {} as ProbeDeps);
    mountApi(app, { maxBodyBytes: 1 }, {} as ApiDeps);
    const mounted = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    const described = operations.map(({ method, path }) => `${method} ${path}`);
    expect(described.sort()).toEqual(mounted.sort());
  });

  it('describes exactly the statuses of the table of routes', () => {
    const described = operations.map(({ method, path, operation }) => [
      `${method} ${path}`,
      Object.keys(operation.responses).map(Number).sort(),
    ]);
    const listed = routes.map(({ method, path, success, failures }) => [
      `${method} ${path}`,
      [success, ...failures].sort(),
    ]);
    expect(Object.fromEntries(described)).toEqual(Object.fromEntries(listed));
  });

  it('declares every parameter of a path', () => {
    for (const { path, operation } of operations) {
      const declared = (operation.parameters ?? [])
        .map((one) => (one.$ref === undefined ? one : document.components.parameters[one.$ref.split('/').at(-1) ?? '']))
        .filter((one) => one?.in === 'path')
        .map((one) => one?.name);
      expect([path, declared]).toEqual([path, [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)]);
    }
  });

  it('asks for a key everywhere but on probes and metrics', () => {
    const open = operations.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path);
    expect(open).toEqual(PROBE_ROUTES.map(({ path }) => path));
  });

  it('lists every refusal code', () => {
    expect(document.components.schemas.RefusalCode?.enum).toEqual(Object.keys(REFUSALS));
  });

  it('points only to what it defines', () => {
    for (const [, reference = ''] of text.matchAll(/\$ref: '#\/([^']+)'/g)) {
      const target = reference
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
      expect([reference, target !== undefined]).toEqual([reference, true]);
    }
  });
});
