import { expect, test } from 'vitest';
import { createProgress } from '../../../bench/lib/progress.ts';

function stream(isTTY: boolean, columns = 20) {
  const written: string[] = [];
  return { written, isTTY, columns, write: (text: string) => written.push(text) };
}

test('outside a terminal every step is a line of its own', () => {
  const out = stream(false);
  const progress = createProgress(out, () => 12.4);
  progress.say('one');
  progress.say('two');
  progress.done();
  expect(out.written.join('')).toBe('  12 s  one\n  12 s  two\n');
});

test('on a terminal one line is replaced, never wider than the terminal, and gone at the end', () => {
  const out = stream(true);
  const progress = createProgress(out, () => 3);
  progress.say('a text that is too long for it');
  progress.done();
  expect(out.written).toEqual(['\r\u001b[2K   3 s  a text that', '\r\u001b[2K']);
});

test('a terminal that does not know its width is taken for 80 columns', () => {
  const out = stream(true, 0);
  createProgress(out, () => 3).say('some text');
  expect(out.written).toEqual(['\r\u001b[2K   3 s  some text']);
});
