/** The API server, through one `kubectl proxy`: a program per question would cost more than what it asks about. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The API server said no. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

export interface Kubernetes {
  /** Rejects when kubectl cannot reach a cluster. */
  start(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
  get<T>(path: string): Promise<T>;
  /** Undefined when there is no such thing. */
  find<T>(path: string): Promise<T | undefined>;
  text(path: string): Promise<string>;
  /** A body that has no end, such as a followed log. */
  stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  create(path: string, body: object): Promise<void>;
  /** JSON merge patch. */
  patch(path: string, body: object): Promise<void>;
  /** Resolves when the deletion has begun; nothing to delete is fine. */
  remove(path: string): Promise<void>;
}

const ANSWER_MS = 15_000;

/** Talks as the current kubeconfig does. */
export function createKubernetes(): Kubernetes {
  let proxy: ChildProcess | undefined;
  let base = '';

  async function request(method: string, path: string, body?: object): Promise<Response> {
    const response = await fetch(base + path, {
      method,
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    throw new ApiError(response.status, `${method} ${path}: ${response.status} ${messageOf(await response.text())}`);
  }

  async function json<T>(path: string): Promise<T> {
    return (await (await request('GET', path)).json()) as T;
  }

  return {
    async start() {
      const child = spawn('kubectl', ['proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] });
      proxy = child;
      const failed = new Promise<never>((_, reject) => {
        child.on('error', (cause) => reject(new Error('kubectl cannot be run', { cause })));
        child.on('exit', () => reject(new Error('kubectl proxy ended')));
      });
      failed.catch(() => undefined);
      const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed])) as [string];
      base = `http://${line.replace(/^.* on /, '')}`;
      await json('/version');
    },
    async stop() {
      const child = proxy;
      proxy = undefined;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
    get: json,
    find: <T>(path: string) =>
      json<T>(path).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }),
    text: async (path) => (await request('GET', path)).text(),
    async stream(path, signal) {
      const { body, status } = await fetch(base + path, { signal });
      if (body === null || status !== 200) throw new ApiError(status, `GET ${path}: ${status}`);
      return body;
    },
    async create(path, body) {
      await request('POST', path, body);
    },
    async patch(path, body) {
      await request('PATCH', path, body);
    },
    async remove(path) {
      await request('DELETE', path).catch((error: unknown) => {
        if (!(error instanceof ApiError && error.status === 404)) throw error;
      });
    },
  };
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body.slice(0, 300);
  }
}
