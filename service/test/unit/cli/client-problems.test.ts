import { describe, expect, test } from 'vitest';
import { type Attempt, connectProblem, disconnectReason } from '../../../src/cli/client-problems.ts';
import { Refused } from '../../../src/refusals.ts';

const attempt: Attempt = { url: 'http://x:1', hasToken: false, isRetried: true, wasConnected: false };
const pollError = (description: number, context: object) =>
  Object.assign(new Error('xhr poll error'), { description, context });
const wsError = (message: string, code?: string) =>
  Object.assign(new Error('websocket error'), { description: { message, error: { message, code } } });

describe('a connection that does not come about', () => {
  test.each([
    ['polling', pollError(0, { statusText: { code: 'ECONNREFUSED' } })],
    ['WebSocket', wsError('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED')],
  ])('nobody listening is final and says what to do, over %s', (_name, error) => {
    expect(connectProblem(error, attempt)).toEqual({
      text: 'cannot connect to http://x:1: nobody listens there. npm start runs a server',
      isFinal: true,
    });
  });

  test('the same is not final for a client that was connected before', () => {
    const error = pollError(0, { statusText: { code: 'ECONNREFUSED' } });
    const { text, isFinal } = connectProblem(error, { ...attempt, wasConnected: true });
    expect(isFinal).toBe(false);
    expect(text).toMatch(/; trying again$/);
  });

  test.each([
    [
      'polling',
      pollError(503, { responseText: '{"message":"too many new connections at once"}' }),
      /HTTP 503, too many/,
    ],
    ['polling without a body', pollError(503, { responseText: '' }), /HTTP 503, not ready or busy/],
    ['WebSocket', wsError('Unexpected server response: 503'), /HTTP 503, not ready or busy/],
  ])('a busy server is tried again, over %s', (_name, error, text) => {
    const problem = connectProblem(error, attempt);
    expect(problem.isFinal).toBe(false);
    expect(problem.text).toMatch(text);
  });

  test('another kind of server is final', () => {
    const problem = connectProblem(pollError(404, { responseText: '<html>' }), attempt);
    expect(problem).toMatchObject({
      isFinal: true,
      text: expect.stringContaining('public port of a Socket.IO server?'),
    });
  });

  test.each([
    [false, 'unauthorized', /^refused: unauthorized: .*Give one with --token or the variable TOKEN/],
    [true, 'unauthorized', /Is it for this server\? npm run token/],
    [true, 'token_expired', /^refused: token_expired: .*npm run token/],
    [true, 'full', /^refused: full: this server holds as many connections as it may$/],
  ] as const)('with a token: %s, the refusal %s is final and has its remedy', (hasToken, code, text) => {
    const problem = connectProblem(new Refused(code), { ...attempt, hasToken, isRetried: false });
    expect(problem.isFinal).toBe(true);
    expect(problem.text).toMatch(text);
  });

  test('a middleware that is not ours is quoted', () => {
    expect(connectProblem(new Error('Invalid namespace'), { ...attempt, isRetried: false }).text).toBe(
      'refused: Invalid namespace',
    );
  });
});

describe('a connection that went away', () => {
  test('a close code of ours is explained', () => {
    expect(disconnectReason('transport close', { context: { code: 1012 } })).toBe(
      'transport close (1012: this server is stopping; come back, another one will answer)',
    );
  });

  test('codes that say nothing are left out, unknown ones are shown', () => {
    expect(disconnectReason('transport close', { context: { code: 1006 } })).toBe('transport close');
    expect(disconnectReason('transport close', { context: { code: 4999 } })).toBe('transport close (4999)');
    expect(disconnectReason('ping timeout', undefined)).toBe('ping timeout');
  });
});
