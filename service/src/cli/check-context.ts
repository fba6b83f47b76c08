/** What a check knows of the installation that it looks at. */

/** One server: where clients and where probes reach it. */
export interface ServerAddress {
  readonly publicUrl: string;
  readonly internalUrl: string;
}

export interface CheckContext {
  /** Where clients come: a Service or an ingress. */
  readonly url: string;
  /** Where backends publish. */
  readonly api: string;
  /** Absent: the HTTP API is off. */
  readonly apiKey: string | undefined;
  /** May join every room. Absent: the servers ask for none. */
  readonly token: string | undefined;
  /** How long to wait for something that should happen at once. */
  readonly patienceMs: number;
  /** Every server, ready or not. */
  findServers(): Promise<readonly ServerAddress[]>;
}

/** Resolves with one sentence on what was seen; rejects with one on what is wrong. */
export type RunCheck = (context: CheckContext) => Promise<string>;
