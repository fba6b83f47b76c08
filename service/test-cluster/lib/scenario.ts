import type { Crowd, CrowdReport } from './crowd.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Namespaces } from './namespace.ts';
import type { Options } from './options.ts';
import type { Publisher } from './publisher.ts';
import type { Release } from './release.ts';

/** What scenarios work with. */
export interface World {
  readonly options: Options;
  /** Flags of helm that only name the images. */
  readonly imageValues: readonly string[];
  readonly kubernetes: Kubernetes;
  /** A scenario that makes one removes it once all is well; what is left is looked at and removed at the end. */
  readonly namespaces: Namespaces;
  /** The release under test, named `sf`. */
  readonly release: Release;
  readonly crowd: Crowd;
  readonly publisher: Publisher;
  /** A token for every room, signed with the secret that the cluster has now. */
  token(): Promise<string>;
  /** Tells how far the scenario is. */
  say(text: string): void;
}

/** How a scenario ended. A broken promise is a problem; what cannot be done at all rejects. */
export interface Outcome {
  readonly problems: readonly string[];
  /** What happened to the clients. */
  readonly report?: CrowdReport;
  /** Something worth reading in the table. */
  readonly note?: string;
  /** Why it was not run. */
  readonly skipped?: string;
}

/** One thing that is done to the installation. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** Others that must have run before. */
  readonly needs: readonly string[];
  run(world: World): Promise<Outcome>;
}
