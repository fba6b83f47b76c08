/** How every path of the internal port refuses: the same JSON, 405 with the methods it takes. */
import type { Context, Hono } from 'hono';
import { REFUSALS, type RefusalBody, type RefusalCode, refusalBody } from '../refusals.ts';
import type { Route } from './routes.ts';

/** Answers one request. */
export type Answering = (context: Context) => Promise<Response>;

/** Adds an operation. `around` wraps its answers, those to a wrong method included. */
export function register(
  app: Hono,
  operation: { route: Route; answer: Answering; around(context: Context, answer: Answering): Promise<Response> },
): void {
  const { route, answer, around } = operation;
  const path = route.path.replace(/\{(\w+)\}/g, ':$1');
  const allowed = route.method === 'GET' ? 'GET, HEAD' : route.method;
  const refuseMethod: Answering = async (context) => {
    context.header('Allow', allowed);
    return refuse(context, refusalBody('wrong_method', `${route.path} takes ${allowed}`));
  };
  app.on(route.method, path, (context) => around(context, answer));
  app.all(path, (context) => around(context, refuseMethod));
}

const HEADERS: { readonly [C in RefusalCode]?: Readonly<Record<string, string>> } = {
  unauthorized: { 'WWW-Authenticate': 'Bearer' },
  // What follows on this connection is the rest of a body that nobody reads.
  too_large: { Connection: 'close' },
};

/** A refusal as a response, with the status of the table. */
export function refuse(context: Context, body: RefusalBody): Response {
  return context.json(body, REFUSALS[body.code].status, { ...HEADERS[body.code] });
}
