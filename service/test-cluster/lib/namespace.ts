import type { Kubernetes } from './kubernetes.ts';
import { ApiError } from './kubernetes.ts';
import { until } from './until.ts';

/** Makes a fresh namespace that admits only pods of the restricted profile; rejects when there is one of that name. */
export async function createNamespace(kubernetes: Kubernetes, name: string): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  try {
    await kubernetes.create('/api/v1/namespaces', { metadata: { name, labels } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) throw new Error(`there is a namespace ${name} already`);
    throw error;
  }
  await until({
    what: `namespace ${name} can be used`,
    deadlineMs: 20_000,
    ask: async () => (await kubernetes.find(`/api/v1/namespaces/${name}/serviceaccounts/default`)) !== undefined,
  });
}

/** Begins to delete a namespace with everything in it, running pods included. */
export async function removeNamespace(kubernetes: Kubernetes, name: string): Promise<void> {
  await kubernetes.remove(`/api/v1/namespaces/${name}`);
}
