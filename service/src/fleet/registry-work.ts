/** What the registry has to write, and what has to be told afterwards. */
import { MOST_WRITES, type Outcome, type Write } from './registry-script.ts';

/** What this server holds: key -> member -> metadata as JSON. */
export type Holdings = Map<string, Map<string, Held>>;

export interface Held {
  readonly meta: string;
  /** Whether a write of it was ever sent; if not, nobody has to hear that it went. */
  isSent: boolean;
}

export type News = 'joined' | 'left';

/** One member whose state in Redis is not what it is here. */
export interface Work {
  readonly key: string;
  readonly member: string;
  /** How it is written while it is held: as news, or once more. */
  op: '+' | '=';
  /** Nobody is told what comes of it. */
  isQuiet: boolean;
  /** What the watchers on this server were told without Redis. */
  told?: News;
  /** An earlier attempt failed, and may still have been carried out: its outcome was not seen. */
  isRetry: boolean;
  readonly done: (() => void)[];
}

/** What a round has changed, as Redis saw it. */
export interface Written {
  readonly member: string;
  readonly news: News;
  readonly toOwn: boolean;
  readonly toOthers: boolean;
  /** It may have been told before. */
  readonly isAgain: boolean;
}

/** Everything that is held, as work to write once more. */
export function* everything(holdings: Holdings, isQuiet: boolean): Generator<Work> {
  for (const [key, members] of holdings) for (const member of members.keys()) yield again(key, member, isQuiet);
}

/** One member to write once more. */
export function again(key: string, member: string, isQuiet: boolean): Work {
  return { key, member, op: '=', isQuiet, isRetry: false, done: [] };
}

/** A name for a member of a key, unlike that of any other. */
export function pairOf(key: string, member: string): string {
  return `${key.length}:${key}${member}`;
}

/** In parts that one script call takes. */
export function sliced(works: readonly Work[]): Work[][] {
  const slices: Work[][] = [];
  for (let at = 0; at < works.length; at += MOST_WRITES) slices.push(works.slice(at, at + MOST_WRITES));
  return slices;
}

/** What has to be told after a write, as a list for flatMap. */
export function newsOf(work: Work, write: Write | undefined, outcome: Outcome | undefined): Written[] | undefined {
  if (work.isQuiet) return undefined;
  const isHeld = write?.op !== '-' || outcome === 'held';
  const news = isHeld ? 'joined' : 'left';
  const toOthers = outcome !== 'held' && (outcome === 'turned' || work.isRetry);
  // Without Redis nobody could be asked, so what was told here may be the opposite of what is.
  const toOwn = work.told === undefined ? toOthers : work.told !== news;
  const isAgain = work.isRetry || write?.op === '=' || work.told !== undefined;
  return toOwn || toOthers ? [{ member: work.member, news, toOwn, toOthers, isAgain }] : undefined;
}
