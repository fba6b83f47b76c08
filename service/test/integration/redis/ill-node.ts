import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { Node } from './installation.ts';

const BACK_MS = 5_000;

/** What a server said about its Redis. */
export function said(node: Node): { setting: unknown; remedy: unknown; error: unknown }[] {
  return node.lines
    .filter(({ event }) => event === 'Redis cannot be used')
    .map(({ fields: { setting, remedy, error } }) => ({ setting, remedy, error }));
}

/** Alive, not ready, and told once what to look at. */
export async function isIll(node: Node, setting: string, error: RegExp): Promise<void> {
  await eventually(() => said(node).length > 0, 'a line about it');
  expect(said(node)[0]).toMatchObject({ setting, error: expect.stringMatching(error) });
  expect(await node.ready()).toBe(false);
  expect((await fetch(`${node.internalUrl}/livez`)).status).toBe(200);
}

/** Ready again without a start, and nothing more said. */
export async function heals(node: Node): Promise<void> {
  await eventually(() => node.ready(), 'ready', BACK_MS);
  expect(said(node).length).toBe(1);
}
