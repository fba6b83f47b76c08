/** Ids that name their owner: the tag of the server, then randomness. 20 characters as upstream's, which others test for. */
import { randomBytes } from 'node:crypto';

const LENGTH = 20;

/** `tag` is two characters `[A-Za-z0-9_-]`; the other 18 carry 108 random bits. */
export function mintId(tag: string): string {
  return (
    tag +
    randomBytes(14)
      .toString('base64url')
      .slice(0, LENGTH - tag.length)
  );
}

/** The tag of the server that made an id. */
export function tagOf(id: string): string {
  return id.slice(0, 2);
}
