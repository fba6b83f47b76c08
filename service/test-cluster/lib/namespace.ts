import { ApiError, type Kubernetes } from './kubernetes.ts';
import { until } from './until.ts';

/** The namespaces that this run has made. */
export interface Namespaces {
  /** Makes one that admits only pods of the restricted profile; rejects when there is one of that name. */
  create(name: string): Promise<void>;
  /** Begins to delete one with everything in it, running pods included; does nothing when they are to be kept. */
  remove(name: string): Promise<void>;
  /** Those that are still there. */
  names(): readonly string[];
}

export function createNamespaces(kubernetes: Kubernetes, options: { readonly keeps: boolean }): Namespaces {
  const made = new Set<string>();
  return {
    async create(name) {
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      try {
        await kubernetes.create('/api/v1/namespaces', { metadata: { name, labels } });
      } catch (error) {
        if (error instanceof ApiError && error.status === 409) throw new Error(`there is a namespace ${name} already`);
        throw error;
      }
      made.add(name);
      await until({
        what: `namespace ${name} can be used`,
        deadlineMs: 20_000,
        ask: async () => (await kubernetes.find(`/api/v1/namespaces/${name}/serviceaccounts/default`)) !== undefined,
      });
    },
    async remove(name) {
      if (options.keeps || !made.delete(name)) return;
      await kubernetes.remove(`/api/v1/namespaces/${name}`);
    },
    names: () => [...made],
  };
}
