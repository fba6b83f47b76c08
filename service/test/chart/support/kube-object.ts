/** One object of Kubernetes, as far as tests look at all of them alike. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly whole: Readonly<Record<string, unknown>>;
}

export function toKubeObject(value: unknown): KubeObject {
  const whole = value as Record<string, unknown>;
  const metadata = (whole.metadata ?? {}) as Partial<KubeObject['metadata']>;
  return {
    apiVersion: String(whole.apiVersion),
    kind: String(whole.kind),
    metadata: { name: metadata.name ?? '', labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} },
    whole,
  };
}

/** The object of a kind and name; throws with what there is. */
export function find(objects: readonly KubeObject[], kind: string, name?: string): KubeObject {
  const found = objects.find((o) => o.kind === kind && (name === undefined || o.metadata.name === name));
  if (found !== undefined) return found;
  const there = objects.map((o) => `${o.kind}/${o.metadata.name}`).join(', ');
  throw new Error(`there is no ${kind}/${name ?? '*'}, only ${there}`);
}

/** What stands at a path of keys and indexes; undefined where it ends. */
export function at(value: KubeObject | unknown, ...path: readonly (string | number)[]): unknown {
  let here: unknown = isKubeObject(value) ? value.whole : value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

/** The same as a list; empty where there is none. */
export function listAt(value: KubeObject | unknown, ...path: readonly (string | number)[]): unknown[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list : [];
}

/** Pod templates and pods of all objects, with the name of what they belong to. */
export function podsOf(objects: readonly KubeObject[]): { owner: string; pod: unknown }[] {
  return objects.flatMap((object) => {
    const owner = `${object.kind}/${object.metadata.name}`;
    if (object.kind === 'Pod') return [{ owner, pod: object.whole }];
    const pod = at(object, 'spec', 'template');
    return pod === undefined ? [] : [{ owner, pod }];
  });
}

/** Environment of the first container of a pod as name and value; a field reference shows as its path. */
export function envOf(pod: unknown): Record<string, string> {
  const entries = listAt(pod, 'spec', 'containers', 0, 'env').map((entry) => {
    const field = at(entry, 'valueFrom', 'fieldRef', 'fieldPath');
    return [String(at(entry, 'name')), String(field ?? at(entry, 'value'))] as const;
  });
  return Object.fromEntries(entries);
}

function isKubeObject(value: unknown): value is KubeObject {
  return typeof value === 'object' && value !== null && 'whole' in value && 'kind' in value;
}
