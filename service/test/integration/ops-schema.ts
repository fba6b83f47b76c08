import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { parse } from 'yaml';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}
interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

const document = parse(readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
};

/** Fails unless openapi.yaml has this operation with this status, and its schema fits the body. */
export function expectDocumented(answer: { method: string; path: string; status: number; body: unknown }): void {
  const path = (answer.path.split('?', 1)[0] ?? '').replaceAll('%2F', '');
  const template = Object.keys(document.paths).find((one) => matches(one, path));
  const operation = document.paths[template ?? '']?.[answer.method.toLowerCase()];
  // Unknown paths and methods have one rule for all, told in the introduction.
  if (operation === undefined) {
    expect([401, 404, 405]).toContain(answer.status);
    expect(problems({ $ref: '#/components/schemas/Refusal' }, answer.body, 'body')).toEqual([]);
    return;
  }
  const response = resolve<Response>(operation.responses[String(answer.status)]);
  expect(response, `${answer.method} ${template} with ${answer.status} is described`).toBeDefined();
  const schema = response?.content?.['application/json']?.schema;
  expect(schema, `${answer.method} ${template} with ${answer.status} has a schema`).toBeDefined();
  expect(problems(schema ?? {}, answer.body, 'body')).toEqual([]);
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
}

function resolve<T extends { readonly $ref?: string }>(node: T | undefined): T | undefined {
  if (node?.$ref === undefined) return node;
  const keys = node.$ref.slice('#/'.length).split('/');
  return resolve(keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document) as T);
}

function problems(unresolved: Schema, value: unknown, at: string): string[] {
  const schema = resolve(unresolved) ?? {};
  const found: string[] = [];
  if (schema.type !== undefined && !isOfType(schema.type, value)) found.push(`${at} is not ${schema.type}`);
  if ('const' in schema && value !== schema.const) found.push(`${at} is not ${String(schema.const)}`);
  if (schema.enum !== undefined && !schema.enum.includes(value)) found.push(`${at} is not on the list`);
  if (schema.oneOf !== undefined && schema.oneOf.filter((one) => problems(one, value, at).length === 0).length !== 1) {
    found.push(`${at} fits none or several`);
  }
  if (Array.isArray(value) && schema.items !== undefined) {
    const { items } = schema;
    found.push(...value.flatMap((item, index) => problems(items, item, `${at}[${index}]`)));
  }
  if (isObject(value)) found.push(...objectProblems(schema, value, at));
  return found;
}

function objectProblems(schema: Schema, value: Record<string, unknown>, at: string): string[] {
  const missing = (schema.required ?? []).filter((key) => !(key in value)).map((key) => `${at}.${key} is missing`);
  const inside = Object.entries(value).flatMap(([key, inner]) => {
    const known = schema.properties?.[key];
    if (known !== undefined) return problems(known, inner, `${at}.${key}`);
    if (schema.additionalProperties === false) return [`${at}.${key} is not described`];
    return typeof schema.additionalProperties === 'object'
      ? problems(schema.additionalProperties, inner, `${at}.${key}`)
      : [];
  });
  return [...missing, ...inside];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isOfType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  return typeof value === type;
}
