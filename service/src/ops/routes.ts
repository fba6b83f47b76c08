/** Every path of the internal port. The router, the metric labels and openapi.yaml are held against it. */

/** One operation: its method, template, status when all is well, and the other statuses it may answer. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly success: 200 | 202;
  readonly failures: readonly number[];
}

export const PROBE_ROUTES = [
  { method: 'GET', path: '/livez', success: 200, failures: [] },
  { method: 'GET', path: '/readyz', success: 200, failures: [503] },
  { method: 'GET', path: '/metrics', success: 200, failures: [500] },
] as const satisfies readonly Route[];

export const API_ROUTES = [
  { method: 'POST', path: '/api/v1/publish', success: 200, failures: [400, 401, 404, 413, 429, 500, 503] },
  { method: 'POST', path: '/api/v1/publish/batch', success: 200, failures: [400, 401, 404, 413, 500, 503] },
  { method: 'GET', path: '/api/v1/rooms', success: 200, failures: [400, 401, 404, 500, 503] },
  { method: 'GET', path: '/api/v1/rooms/{room}', success: 200, failures: [400, 401, 404, 500, 503] },
  { method: 'GET', path: '/api/v1/sockets/{id}', success: 200, failures: [400, 401, 404, 500, 503] },
  { method: 'POST', path: '/api/v1/sockets/{id}/disconnect', success: 200, failures: [400, 401, 404, 500, 503] },
  { method: 'POST', path: '/api/v1/users/{sub}/disconnect', success: 200, failures: [400, 401, 404, 500, 503] },
  { method: 'POST', path: '/api/v1/drain', success: 202, failures: [401, 404, 500, 503] },
] as const satisfies readonly Route[];

/** Template of an operation of the HTTP API. */
export type ApiPath = (typeof API_ROUTES)[number]['path'];
