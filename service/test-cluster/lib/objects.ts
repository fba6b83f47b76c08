/** The fields of Kubernetes objects that the test looks at. */

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
}

export interface KubeObject {
  readonly kind?: string;
  readonly metadata: Metadata;
}

export interface List<T> {
  readonly items: readonly T[];
}

export interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly ready: boolean }[];
  };
}

export interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number; readonly template: { readonly spec: { readonly containers: unknown } } };
  readonly status: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
  readonly metadata: Metadata & { readonly generation: number };
}

export interface Secret extends KubeObject {
  /** Base64. */
  readonly data: Readonly<Record<string, string>>;
}

/** Ready, and not on its way out. */
export function isReady(pod: Pod): boolean {
  const ready = pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return ready && pod.metadata.deletionTimestamp === undefined;
}
