import type { Socket } from 'socket.io';
import { describe, expect, it } from 'vitest';
import type { Identities, Identity } from '../../../src/contracts.ts';
import { createSessions } from '../../../src/realtime/sessions.ts';
import { type RefusalCode, Refused } from '../../../src/refusals.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createFakeSocket, type FakeSocketOptions } from '../../support/fake-socket.ts';

const DAY_MS = 86_400_000;
const NOW_S = 1_700_000_000;

/** Identities that know these tokens; anything else is refused. Verification ends when `release` is called, if it is held. */
function rig(tokens: Record<string, Partial<Identity>>) {
  const clock = createFakeClock(NOW_S * 1000);
  const asked: (string | undefined)[] = [];
  const held: (() => void)[] = [];
  let isHeld = false;
  const identities: Identities = {
    checks: [],
    start: async () => undefined,
    stop: async () => undefined,
    async verify(token) {
      asked.push(token);
      if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
      const known = tokens[token ?? ''];
      if (known === undefined) throw new Refused(token?.startsWith('expired') ? 'token_expired' : 'unauthorized');
      return { rooms: ['*'], allows: () => true, ...known };
    },
  };
  const expired: Socket[] = [];
  const told: string[] = [];
  const tell = (what: string) => async (who: string) => void told.push(`${what} ${who}`);
  const listener = () => ({
    userCame: tell('user came'),
    userLeft: tell('user left'),
    socketCame: tell('socket came'),
    socketLeft: tell('socket left'),
  });
  const sessions = createSessions({
    identities,
    clock,
    expire: (socket) => void expired.push(socket),
    startAfresh(socket) {
      told.push(`afresh ${socket.id}`);
      socket.rooms.clear();
      socket.data = {};
    },
    listener,
  });
  const connect = async (options: FakeSocketOptions) => {
    const socket = createFakeSocket(options);
    await sessions.authenticate(socket);
    sessions.began(socket);
    return socket;
  };
  return {
    ...{ clock, asked, expired, told, sessions, connect },
    hold: () => {
      isHeld = true;
    },
    release: () => {
      for (const go of held.splice(0)) go();
    },
  };
}

async function refusalOf(call: Promise<unknown>): Promise<RefusalCode> {
  const error = await call.then(
    () => undefined,
    (problem: unknown) => problem,
  );
  expect(error).toBeInstanceOf(Refused);
  return (error as Refused).refusal;
}

describe('the token of a socket', () => {
  it.each<[string, FakeSocketOptions, string | undefined]>([
    ['auth.token', { auth: { token: 'a' } }, 'a'],
    ['auth.token before the header', { auth: { token: 'a' }, headers: { authorization: 'Bearer b' } }, 'a'],
    ['the header', { headers: { authorization: 'Bearer b' } }, 'b'],
    ['the header in any case, with spaces', { headers: { authorization: 'bEARER   b ' } }, 'b'],
    ['no other scheme', { headers: { authorization: 'Basic b' } }, undefined],
    ['nothing', {}, undefined],
    ['auth that is no object', { auth: 'token' }, undefined],
    ['a token that is no text', { auth: { token: { $ne: '' } } }, undefined],
    ['a token that is a list', { auth: { token: ['a'] } }, undefined],
  ])('is %s', async (_what, options, expected) => {
    const { asked, connect } = rig({});
    await refusalOf(connect(options));
    expect(asked).toEqual([expected]);
  });

  it('that is refused leaves no session', async () => {
    const { sessions } = rig({});
    const socket = createFakeSocket({ token: 'expired' });
    expect(await refusalOf(sessions.authenticate(socket))).toBe('token_expired');
    expect(() => sessions.identityOf(socket)).toThrow(Refused);
    expect(() => sessions.began(socket)).toThrow(Refused);
    expect(await refusalOf(sessions.refresh(socket, 'expired'))).toBe('unauthorized');
    expect(() => sessions.ended(socket)).not.toThrow();
  });
});

describe('a session', () => {
  it('knows who it is, and tells the handlers by socket.data', async () => {
    const { connect, sessions } = rig({ ann: { sub: 'ann' } });
    const socket = await connect({ token: 'ann' });
    expect(sessions.identityOf(socket).sub).toBe('ann');
    expect(socket.data).toEqual({ sub: 'ann' });
  });

  it('without authentication has no user', async () => {
    const { connect, sessions } = rig({ '': {} });
    const socket = await connect({});
    expect(sessions.identityOf(socket).sub).toBeUndefined();
    expect(socket.data).toEqual({});
  });

  it.each([1_000, 60_000, 30 * DAY_MS, 400 * DAY_MS])('ends when its token does, after %i ms', async (ms) => {
    const { clock, connect, expired } = rig({ ann: { sub: 'ann', exp: NOW_S + ms / 1000 } });
    const socket = await connect({ token: 'ann' });
    clock.advance(ms - 1);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual([socket]);
    clock.advance(DAY_MS);
    expect(expired).toHaveLength(1);
  });

  it('whose token has ended while it was let in ends at once', async () => {
    const { clock, connect, expired } = rig({ ann: { sub: 'ann', exp: NOW_S - 1 } });
    const socket = await connect({ token: 'ann' });
    clock.advance(0);
    expect(expired).toEqual([socket]);
  });

  it('without an end sets no timer', async () => {
    const { clock, connect } = rig({ ann: { sub: 'ann' } });
    await connect({ token: 'ann' });
    expect(clock.pending()).toBe(0);
  });

  it('that is over is not ended again, and holds no timer', async () => {
    const { clock, connect, expired, sessions } = rig({ ann: { sub: 'ann', exp: NOW_S + 60 } });
    const socket = await connect({ token: 'ann' });
    sessions.ended(socket);
    sessions.ended(socket);
    expect(clock.pending()).toBe(0);
    clock.advance(DAY_MS);
    expect(expired).toEqual([]);
  });

  it('still knows who it was when it is over', async () => {
    const { connect, sessions } = rig({ ann: { sub: 'ann' } });
    const socket = await connect({ token: 'ann' });
    sessions.ended(socket);
    expect(sessions.identityOf(socket).sub).toBe('ann');
  });

  it('sets its timer when it begins, not when its token is read', async () => {
    const { clock, sessions } = rig({ ann: { sub: 'ann', exp: NOW_S + 60 } });
    await sessions.authenticate(createFakeSocket({ token: 'ann' }));
    expect(clock.pending()).toBe(0);
  });
});

describe('a fresh token', () => {
  const tokens = {
    ann: { sub: 'ann', exp: NOW_S + 60 },
    longer: { sub: 'ann', exp: NOW_S + 600, rooms: ['other'] },
    shorter: { sub: 'ann', exp: NOW_S + 30 },
    endless: { sub: 'ann' },
    bob: { sub: 'bob', exp: NOW_S + 600 },
    anonymous: {},
  };

  it.each([
    ['longer', 600],
    ['shorter', 30],
  ])('that is %s moves the end of the session', async (token, seconds) => {
    const { clock, connect, expired, sessions } = rig(tokens);
    const socket = await connect({ token: 'ann' });
    const identity = await sessions.refresh(socket, token);
    expect(identity.exp).toBe(NOW_S + seconds);
    expect(sessions.identityOf(socket)).toBe(identity);
    clock.advance(seconds * 1000 - 1);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual([socket]);
    expect(clock.pending()).toBe(0);
  });

  it('lasts for the other namespaces of the same connection, and for no other connection of the user', async () => {
    const { clock, connect, expired, sessions } = rig(tokens);
    const conn = {};
    const [root, admin] = [await connect({ token: 'ann', conn }), await connect({ token: 'ann', conn })];
    const elsewhere = await connect({ token: 'ann' });
    await sessions.refresh(root, 'longer');
    clock.advance(599_000);
    expect(expired).toEqual([elsewhere]);
    clock.advance(1_000);
    expect(new Set(expired)).toEqual(new Set([elsewhere, root, admin]));
  });

  it('without an end takes the end away', async () => {
    const { clock, connect, sessions } = rig(tokens);
    const socket = await connect({ token: 'ann' });
    await sessions.refresh(socket, 'endless');
    expect(clock.pending()).toBe(0);
  });

  it.each(['bob', 'anonymous', 'forged', 'expired'])(
    'of somebody else or nobody (%s) changes nothing',
    async (token) => {
      const { clock, connect, expired, sessions } = rig(tokens);
      const socket = await connect({ token: 'ann' });
      const before = sessions.identityOf(socket);
      await refusalOf(sessions.refresh(socket, token));
      expect(sessions.identityOf(socket)).toBe(before);
      expect(sessions.socketsOf('bob')).toEqual([]);
      clock.advance(60_000);
      expect(expired).toEqual([socket]);
    },
  );

  it('cannot make a user of nobody', async () => {
    const { connect, sessions } = rig({ '': {}, ann: { sub: 'ann' } });
    const socket = await connect({});
    expect(await refusalOf(sessions.refresh(socket, 'ann'))).toBe('unauthorized');
  });

  it('that is accepted after its socket has gone sets no timer', async () => {
    const { clock, connect, hold, release, sessions } = rig(tokens);
    const socket = await connect({ token: 'ann' });
    hold();
    const refreshed = sessions.refresh(socket, 'longer');
    sessions.ended(socket);
    release();
    await refreshed;
    expect(clock.pending()).toBe(0);
    expect(sessions.socketsOf('ann')).toEqual([]);
  });
});

describe('a recovered session', () => {
  const tokens = { ann: { sub: 'ann' }, bob: { sub: 'bob' }, '': {} };

  it.each<[string, string | undefined, Record<string, unknown>]>([
    ['its user', 'ann', { sub: 'ann', draft: 'text' }],
    ['nobody, as before', undefined, { draft: 'text' }],
  ])('goes to %s', async (_who, token, data) => {
    const { connect } = rig(tokens);
    const socket = await connect({ isRecovered: true, data, ...(token === undefined ? {} : { token }) });
    expect(socket.data).toMatchObject({ draft: 'text' });
  });

  it.each<[string, string | undefined, Record<string, unknown>]>([
    ['another user', 'bob', { sub: 'ann' }],
    ['a user, when it was nobody', 'bob', {}],
    ['nobody, when it was a user', undefined, { sub: 'ann' }],
  ])('does not go to %s', async (_who, token, data) => {
    const { sessions } = rig(tokens);
    const socket = createFakeSocket({ isRecovered: true, data, ...(token === undefined ? {} : { token }) });
    expect(await refusalOf(sessions.authenticate(socket))).toBe('unauthorized');
    expect(() => sessions.identityOf(socket)).toThrow(Refused);
  });

  it('that is not one may have been anybody: socket.data says who it is now', async () => {
    const { connect } = rig(tokens);
    expect((await connect({ token: 'bob', data: { sub: 'ann' } })).data.sub).toBe('bob');
    expect((await connect({ data: { sub: 'ann' } })).data).toEqual({});
  });
});

describe('the sockets of a user', () => {
  it('are those that began and have not ended', async () => {
    const { connect, sessions } = rig({ ann: { sub: 'ann' }, bob: { sub: 'bob' } });
    const [first, second, other] = [
      await connect({ token: 'ann' }),
      await connect({ token: 'ann' }),
      await connect({ token: 'bob' }),
    ];
    await sessions.authenticate(createFakeSocket({ token: 'ann' }));
    expect(sessions.socketsOf('ann')).toEqual([first, second]);
    sessions.ended(first);
    expect(sessions.socketsOf('ann')).toEqual([second]);
    sessions.ended(second);
    expect(sessions.socketsOf('ann')).toEqual([]);
    expect(sessions.socketsOf('bob')).toEqual([other]);
    expect(sessions.socketsOf('__proto__')).toEqual([]);
  });

  it('are a list of its own, which may be walked while they end', async () => {
    const { connect, sessions } = rig({ ann: { sub: 'ann' } });
    for (let i = 0; i < 5; i++) await connect({ token: 'ann' });
    for (const socket of sessions.socketsOf('ann')) sessions.ended(socket);
    expect(sessions.socketsOf('ann')).toEqual([]);
  });

  it('starts afresh when its token no longer allows one of its rooms, and is still of its user', async () => {
    const { connect, told } = rig({ narrow: { sub: 'ada', allows: (room) => room === 'lobby' } });
    const options = { isRecovered: true, token: 'narrow' };
    const fine = await connect({ ...options, data: { sub: 'ada' }, rooms: ['r:lobby', 'p:lobby', 'of-an-app'] });
    expect(fine.rooms.has('r:lobby')).toBe(true);
    const socket = await connect({ ...options, data: { sub: 'ada', kept: 1 }, rooms: ['r:lobby', 'r:secret'] });
    expect(told.filter((line) => line.startsWith('afresh'))).toEqual([`afresh ${socket.id}`]);
    expect([socket.rooms.size, socket.data]).toEqual([0, { sub: 'ada' }]);
  });
});
