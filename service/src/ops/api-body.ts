/** Reads JSON bodies of the HTTP API, bounded in size. How slow they may be is the HTTP server's business. */
import type { Context } from 'hono';
import { Refused } from '../refusals.ts';

/** The parsed body. Throws a `Refused` that says what is wrong with the body as a whole. */
export async function readJson(context: Context, maxBytes: number): Promise<unknown> {
  const type = (context.req.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new Refused('bad_request', 'content-type: must be application/json');
  const encoding = context.req.header('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') throw new Refused('bad_request', 'content-encoding: send it uncompressed');
  const text = decode(await readBytes(context, maxBytes));
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused('bad_request', text.trim() === '' ? 'body: is missing' : 'body: is not JSON');
  }
}

async function readBytes(context: Context, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new Refused('too_large', `body: more than ${maxBytes} bytes`);
  if (Number(context.req.header('content-length') ?? 0) > maxBytes) throw tooLarge();
  const reader = context.req.raw.body?.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (reader !== undefined) {
    // A body that stops half-way is the client's affair, not a fault.
    const { done, value } = await reader.read().catch(() => {
      throw new Refused('bad_request', 'body: was cut off');
    });
    if (done) break;
    size += value.byteLength;
    // Not cancelled: that would destroy the connection before the answer is written.
    if (size > maxBytes) throw tooLarge();
    chunks.push(value);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refused('bad_request', 'body: is not UTF-8');
  }
}
