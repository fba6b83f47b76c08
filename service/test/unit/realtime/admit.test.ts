import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  type AdmissionDeps,
  type AdmissionOptions,
  createAdmission,
  type EngineRequest,
} from '../../../src/realtime/admit.ts';
import { REFUSALS, type RefusalCode, refusalBody } from '../../../src/refusals.ts';
import { seededRandom } from '../../support/seeded-random.ts';

interface RequestLike {
  method?: string;
  contentLength?: string;
  query?: Record<string, string>;
  origin?: string;
  address?: string;
  forwardedFor?: string | string[];
}

function request(like: RequestLike): EngineRequest {
  const { method = 'GET', query = { EIO: '4' }, origin, address = '203.0.113.7', forwardedFor, contentLength } = like;
  const headers = {
    ...(contentLength === undefined ? {} : { 'content-length': contentLength }),
    ...(origin === undefined ? {} : { origin }),
    ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
  };
  const parts = { method, headers, socket: { remoteAddress: address }, _query: query };
  return parts as unknown as IncomingMessage & EngineRequest;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

function gate(options: Partial<AdmissionOptions> = {}, deps: Partial<AdmissionDeps> = {}) {
  const outcomes: string[] = [];
  const refused: string[] = [];
  const asked: string[] = [];
  const admission = createAdmission(
    { origins: ['*'], maxConnections: 10, sessionsPerAddress: 2, maxPayloadBytes: 1000, ...options },
    {
      brake: { admit: () => asked.push('brake') > 0, tokens: () => 1 },
      metrics: {
        handshake: (outcome) => void outcomes.push(outcome),
        refused: (code) => void refused.push(code),
      },
      addressOf: (remote) => remote ?? 'unknown',
      refusesSessions: () => false,
      connections: () => 0,
      ...deps,
    },
  );
  /** The refusal, or undefined when the request went on. */
  const ask = (like: RequestLike = {}): Answer | undefined => {
    let passed = 0;
    let answer: Partial<Answer> | undefined;
    const res = {
      writeHead: (status: number, headers: Record<string, string>) => {
        answer = { status, headers };
      },
      end: (text: string) => {
        answer = { ...answer, body: JSON.parse(text) };
      },
    };
    admission.middleware(request(like), res as unknown as ServerResponse, () => void passed++);
    // Either it goes on or it is answered; both would crash Engine.IO.
    expect(passed).toBe(answer === undefined ? 1 : 0);
    return answer as Answer | undefined;
  };
  const began = (address: string) => admission.began(request({ address }));
  return { ask, began, admission, outcomes, refused, asked };
}

const codeOf = (answer: Answer | undefined) => (answer?.body as { code?: RefusalCode } | undefined)?.code;

describe('the gate', () => {
  it('refuses by the first reason of: origin, drain, connections, address, brake', () => {
    const state = { origin: 'https://evil.example', drains: true, connections: 10, held: 2, brake: false };
    const { ask, began } = gate(
      { origins: ['https://app.example'] },
      {
        brake: { admit: () => state.brake, tokens: () => 0 },
        refusesSessions: () => state.drains,
        connections: () => state.connections,
      },
    );
    const ends = [began('203.0.113.7'), began('203.0.113.7')];
    const next = () => codeOf(ask({ origin: state.origin }));
    expect(next()).toBe('bad_origin');
    state.origin = 'https://app.example';
    expect(next()).toBe('draining');
    state.drains = false;
    expect(next()).toBe('full');
    state.connections = 9;
    expect(next()).toBe('too_many_sessions');
    for (const end of ends) end();
    expect(next()).toBe('brake');
    state.brake = true;
    expect(next()).toBeUndefined();
  });

  it('spends no token of the brake on a request that is refused anyway', () => {
    const { ask, asked } = gate({ origins: [] }, { refusesSessions: () => true });
    ask({ origin: 'https://evil.example' });
    ask();
    expect(asked).toEqual([]);
  });

  it('answers with the refusal as JSON, its status, and when to come back', () => {
    const answer = gate({}, { refusesSessions: () => true }).ask();
    expect(answer).toEqual({
      status: 503,
      headers: { 'Content-Type': 'application/json', Connection: 'close', 'Retry-After': '1' },
      body: refusalBody('draining'),
    });
  });

  it('asks nobody back whom it would refuse again', () => {
    const answer = gate({ origins: ['https://app.example'] }).ask({ origin: 'https://evil.example' });
    expect(answer?.status).toBe(REFUSALS.bad_origin.status);
    expect(answer?.headers).not.toHaveProperty('Retry-After');
  });

  it('counts each refusal, and nothing else', () => {
    const { ask, outcomes } = gate({ maxConnections: 1 }, { connections: () => 1 });
    ask();
    ask({ query: { EIO: '4', sid: 'abc' } });
    expect(outcomes).toEqual(['full']);
  });
});

describe('requests of a session', () => {
  const shut = () => gate({ origins: [], maxConnections: 1 }, { refusesSessions: () => true, connections: () => 1 });

  it('pass, whatever holds for new ones', () => {
    expect(shut().ask({ query: { EIO: '4', sid: 'abc' }, origin: 'https://evil.example' })).toBeUndefined();
  });

  it.each<[RequestLike, string | undefined]>([
    [{ method: 'POST', contentLength: '1000' }, undefined],
    [{ method: 'POST' }, undefined],
    [{ method: 'POST', contentLength: '1001' }, 'too_large'],
    [{ method: 'PUT' }, 'wrong_method'],
    [{ method: 'DELETE' }, 'wrong_method'],
  ])('that Engine.IO would not take get a reason: %j', (like, expected) => {
    const { ask, outcomes, refused } = shut();
    expect(codeOf(ask({ ...like, query: { EIO: '4', sid: 'abc' } }))).toBe(expected);
    expect(refused).toEqual(expected === undefined ? [] : [expected]);
    expect(outcomes).toEqual([]);
  });

  it('name it: an empty sid begins a new one', () => {
    expect(codeOf(shut().ask({ query: { EIO: '4', sid: '' } }))).toBe('draining');
  });

  it('are not assumed where there is no query', () => {
    const { admission, outcomes } = shut();
    const { _query, ...bare } = request({});
    const res = { writeHead: () => undefined, end: () => undefined } as unknown as ServerResponse;
    admission.middleware(bare as EngineRequest, res, () => outcomes.push('passed'));
    expect(outcomes).toEqual(['draining']);
  });
});

describe('origins', () => {
  it.each<[allowed: string[], origin: string | undefined, expected: string | undefined]>([
    [['*'], 'https://anything.example', undefined],
    [['https://app.example'], 'https://app.example', undefined],
    [['https://app.example'], undefined, undefined],
    [['https://app.example'], 'https://app.example.evil.example', 'bad_origin'],
    [['https://app.example'], 'http://app.example', 'bad_origin'],
    [['https://app.example'], 'https://app.example:8443', 'bad_origin'],
    [['https://app.example'], 'null', 'bad_origin'],
    [['https://app.example'], '', 'bad_origin'],
    [['null'], 'null', undefined],
    [[], 'https://app.example', 'bad_origin'],
  ])('with %j allowed, %j: %s', (origins, origin, expected) => {
    expect(codeOf(gate({ origins }).ask(origin === undefined ? {} : { origin }))).toBe(expected);
  });
});

describe('unfinished sessions', () => {
  it('are counted per address', () => {
    const { ask, began } = gate();
    began('203.0.113.7');
    expect(ask()).toBeUndefined();
    began('203.0.113.7');
    expect(codeOf(ask())).toBe('too_many_sessions');
    expect(ask({ address: '203.0.113.8' })).toBeUndefined();
  });

  it('are not limited by 0', () => {
    const { ask, began } = gate({ sessionsPerAddress: 0 });
    for (let i = 0; i < 5000; i++) began('203.0.113.7');
    expect(ask()).toBeUndefined();
  });

  it('end once, however often they are told to', () => {
    const { ask, began } = gate();
    const end = began('203.0.113.7');
    began('203.0.113.7');
    began('203.0.113.7');
    for (let i = 0; i < 10; i++) end();
    expect(codeOf(ask())).toBe('too_many_sessions');
  });

  it('of every address return to none', () => {
    const random = seededRandom(11);
    const { ask, began } = gate({ sessionsPerAddress: 1 });
    const addresses = Array.from({ length: 50 }, (_, i) => `203.0.113.${i}`);
    const open: (() => void)[] = [];
    for (let i = 0; i < 5000; i++) {
      if (random() < 0.5) open.push(began(addresses[Math.floor(random() * 50)] ?? ''));
      else for (const end of open.splice(Math.floor(random() * open.length), 1)) end();
    }
    for (const end of open) end();
    for (const address of addresses) {
      expect(ask({ address })).toBeUndefined();
      const end = began(address);
      expect(codeOf(ask({ address }))).toBe('too_many_sessions');
      end();
      expect(ask({ address })).toBeUndefined();
    }
  });

  it('belong to the address that the proxies tell, at the begin as at the gate', () => {
    const seen: (string | undefined)[] = [];
    const { ask, admission } = gate(
      { sessionsPerAddress: 1 },
      {
        addressOf: (remote, header) => {
          seen.push(header);
          return header ?? remote ?? 'unknown';
        },
      },
    );
    const first = { address: '10.0.0.1', forwardedFor: '203.0.113.7' };
    admission.began(request(first));
    expect(codeOf(ask(first))).toBe('too_many_sessions');
    expect(ask({ ...first, forwardedFor: '203.0.113.8' })).toBeUndefined();
    ask({ ...first, forwardedFor: ['1.1.1.1', '203.0.113.9'] });
    expect(seen.at(-1)).toBe('1.1.1.1,203.0.113.9');
  });
});
