import { expect, test } from 'vitest';
import { parseLine } from '../../../src/cli/client-commands.ts';

test.each([
  ['hello there', { kind: 'say', text: 'hello there' }],
  ['  two spaces stay', { kind: 'say', text: '  two spaces stay' }],
  ['//shrug', { kind: 'say', text: '/shrug' }],
  ['/join tea', { kind: 'join', room: 'tea' }],
  ['/join  tea and cake  ', { kind: 'join', room: 'tea and cake' }],
  ['/leave', { kind: 'leave', room: undefined }],
  ['/leave tea', { kind: 'leave', room: 'tea' }],
  ['/room tea', { kind: 'switch', room: 'tea' }],
  ['/who', { kind: 'who', room: undefined }],
  ['/who tea', { kind: 'who', room: 'tea' }],
  ['/me', { kind: 'me' }],
  ['/ping', { kind: 'ping' }],
  ['/quit ', { kind: 'quit' }],
  ['/help', { kind: 'help' }],
  ['   ', { kind: 'nothing' }],
  ['/join', { kind: 'problem', text: '/join needs the name of a room' }],
  ['/room', { kind: 'problem', text: '/room needs the name of a room' }],
  ['/dance', { kind: 'problem', text: '/dance is not a command; /help lists them' }],
])('the line %j asks for %j', (line, command) => {
  expect(parseLine(line)).toEqual(command);
});
