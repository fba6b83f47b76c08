import { createHmac } from 'node:crypto';

/** A token for every room, signed as any backend would sign it: HS256, valid for an hour. */
export function mintToken(secret: string, sub: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, rooms: ['*'], iat: now, exp: now + 3_600 })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

/** Tokens signed with the first of the secrets that `read` tells; it is asked at most once a second. */
export function createTokens(read: () => Promise<string>): () => Promise<string> {
  let secrets: Promise<string> | undefined;
  let readAt = 0;
  let count = 0;
  return async () => {
    const known = secrets;
    if (known === undefined || Date.now() - readAt > 1_000) {
      readAt = Date.now();
      // What was known helps on while the cluster does not answer.
      secrets = read().catch((error: unknown) => known ?? Promise.reject(error));
    }
    const [secret = ''] = ((await secrets) ?? '').trim().split(/\s+/);
    count++;
    return mintToken(secret, `user-${count}`);
  };
}
