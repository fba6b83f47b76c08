import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Schema = Record<string, unknown>;

const GROUP_VERSION_KIND = 'x-kubernetes-group-version-kind';
const INT_OR_STRING = { anyOf: [{ type: 'integer' }, { type: 'string' }] };
const QUANTITY = { anyOf: [{ type: 'number' }, { type: 'string' }] };

/**
 * Makes strict JSON schemas of a cluster's OpenAPI document (`kubectl get --raw /openapi/v2`), one file per kind, as
 * kubeconform looks for them. Returns what to give to its -schema-location.
 */
export function writeSchemas(openApiFile: string, folder: string): string {
  const { definitions } = JSON.parse(readFileSync(openApiFile, 'utf8')) as { definitions: Record<string, Schema> };
  mkdirSync(folder, { recursive: true });
  for (const [name, schema] of Object.entries(definitions)) {
    const kinds = (schema[GROUP_VERSION_KIND] ?? []) as { group: string; version: string; kind: string }[];
    for (const { group, version, kind } of kinds) {
      const parts = [kind, ...(group === '' ? [] : [group.split('.')[0] ?? '']), version];
      const file = `${parts.join('-').toLowerCase()}.json`;
      writeFileSync(join(folder, file), JSON.stringify(standalone(name, definitions)));
    }
  }
  return join(folder, '{{.ResourceKind}}{{.KindSuffix}}.json');
}

/** A definition with all that it refers to. */
function standalone(name: string, definitions: Readonly<Record<string, Schema>>): Schema {
  const needed = new Map<string, Schema>();
  const add = (wanted: string) => {
    const schema = definitions[wanted];
    if (schema === undefined || needed.has(wanted)) return;
    needed.set(wanted, strict(wanted, schema));
    for (const [, inner = ''] of JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)) add(inner);
  };
  add(name);
  return { $ref: `#/definitions/${name}`, definitions: Object.fromEntries(needed) };
}

/** A definition that takes no key but its own. */
function strict(name: string, schema: Schema): Schema {
  if (name.endsWith('.IntOrString')) return INT_OR_STRING;
  if (name.endsWith('.Quantity')) return QUANTITY;
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...schema, additionalProperties: false }
    : schema;
}
