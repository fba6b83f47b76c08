import type { Socket as ServerSocket } from 'socket.io';
import { describe, expect, it } from 'vitest';
import type { App } from '../../../src/contracts.ts';
import { ask, client, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import type { StartedServer } from '../../support/start-server.ts';
import { startTown } from './town.ts';

const INTERNAL = { ok: false, code: 'internal', message: 'the server made a mistake; it was logged', retry: false };

/** A town whose app module does something on every connection but the bystander's, and must be heard of in log and metrics. */
async function startFaulty(onConnection: (socket: ServerSocket) => unknown, faults = 1, prepare?: App) {
  const town = await startTown({}, async (io, services) => {
    await prepare?.(io, services);
    io.on('connection', (socket) => (socket.handshake.query.faulty ? onConnection(socket) : undefined));
  });
  const eve = client(town.url, { query: { faulty: '1' } });
  return {
    ...town,
    eve,
    /** The fault was logged and counted, and nobody else has noticed. */
    async expectFault() {
      await eventually(async () => (await counted(town)) === faults, 'the fault in the metrics');
      const errors = town.lines.filter(({ level }) => level === 'error');
      expect(errors).toHaveLength(faults);
      expect(
        errors.every(({ event, fields }) => event === 'handler failed' && String(fields.err).includes('boom')),
      ).toBe(true);
      town.lines.length = 0;
      await town.expectPeace();
    },
  };
}

const counted = (town: StartedServer) => town.metric('socketfleet_handler_faults_total{nsp="/"}');
const boom = () => {
  throw new Error('boom');
};
const rejects = () => Promise.reject(new Error('boom'));

describe.each([
  ['throws', boom],
  ['rejects', rejects],
  ['rejects later', () => new Promise((_, reject) => setImmediate(() => reject(new Error('boom'))))],
])('an app handler that %s', (_how, fail) => {
  it('in an event answers the client with internal', async () => {
    const town = await startFaulty((socket) => void socket.on('poke', fail));
    town.eve.connect();
    expect(await ask(town.eve, 'poke')).toEqual(INTERNAL);
    await town.expectFault();
    expect(await ask(town.eve, 'whoami')).toMatchObject({ ok: true });
  });

  it('in an event without an ack keeps the connection', async () => {
    const town = await startFaulty((socket) => void socket.on('poke', fail));
    town.eve.emit('poke');
    expect(await ask(town.eve, 'whoami')).toMatchObject({ ok: true });
    await town.expectFault();
  });

  it('in one of several listeners leaves the others alone', async () => {
    const town = await startFaulty((socket) => {
      socket.on('poke', fail);
      socket.on('poke', () => socket.emit('poked'));
    });
    const poked = next(town.eve, 'poked');
    town.eve.emit('poke');
    await poked;
    await town.expectFault();
  });

  it('on connection keeps the connection', async () => {
    const town = await startFaulty(fail);
    await next(town.eve, 'connect');
    expect(await ask(town.eve, 'whoami')).toMatchObject({ ok: true });
    await town.expectFault();
  });

  it.each(['disconnecting', 'disconnect'])('in %s still lets the socket go', async (event) => {
    const town = await startFaulty((socket) => void socket.on(event, fail));
    await next(town.eve, 'connect');
    town.eve.disconnect();
    await eventually(async () => (await town.metric('socketfleet_sockets{nsp="/"}')) === 1);
    await town.expectFault();
  });

  it('in io.use refuses the socket with internal', async () => {
    const town = await startFaulty(
      () => undefined,
      1,
      (io) => {
        io.use((socket, next) => (socket.handshake.query.faulty ? fail() : next()) as undefined);
      },
    );
    const [error] = (await next(town.eve, 'connect_error')) as [Error & { data: unknown }];
    expect(error.data).toEqual(INTERNAL);
    await town.expectFault();
  });

  it('in socket.use answers the client with internal', async () => {
    const town = await startFaulty((socket) => {
      socket.on('poke', () => undefined);
      socket.use(([event], next) => (event === 'poke' ? fail() : next()) as undefined);
    });
    expect(await ask(town.eve, 'poke')).toEqual(INTERNAL);
    expect(await ask(town.eve, 'whoami')).toMatchObject({ ok: true });
    await town.expectFault();
  });

  it('in the callback of a question to the client', async () => {
    const town = await startFaulty((socket) => void socket.emit('question', fail));
    town.eve.on('question', (answer) => answer('evil'));
    await town.expectFault();
    expect(await ask(town.eve, 'whoami')).toMatchObject({ ok: true });
  });

  it('in the callback of a question that the client never answers', async () => {
    const town = await startFaulty((socket) => void socket.timeout(20).emit('question', fail));
    await town.expectFault();
  });

  it('in the callback of a question to a whole room, answered or not', async () => {
    const town = await startFaulty((socket) => {
      socket.timeout(20).to('r:town').emit('question', fail);
      socket.nsp.timeout(5_000).to(socket.id).emit('answered', fail);
    }, 2);
    town.eve.on('answered', (answer) => answer('evil'));
    await town.expectFault();
  });

  it('in onAny and onAnyOutgoing keeps nothing from its way', async () => {
    const town = await startFaulty((socket) => {
      socket.onAny((event) => (event === 'poke' ? fail() : undefined));
      socket.onAnyOutgoing((event) => (event === 'poked' ? fail() : undefined));
      socket.on('poke', (answer) => {
        socket.emit('poked');
        answer('fine');
      });
    }, 2);
    const poked = next(town.eve, 'poked');
    expect(await town.eve.timeout(5_000).emitWithAck('poke')).toBe('fine');
    await poked;
    await town.expectFault();
  });

  it('in the function of a dynamic namespace lets nobody in there', async () => {
    const town = await startFaulty(
      () => undefined,
      1,
      (io) => void io.of((() => fail()) as never),
    );
    const error = await connect(`${town.url}/tenant-1`).catch((reason: Error) => reason.message);
    expect(error).toBe('Invalid namespace');
    await town.expectFault();
  });
});

describe('an app module', () => {
  it('that disconnects at once, or removes all listeners, leaves no session behind', async () => {
    const town = await startFaulty(
      (socket) => {
        socket.removeAllListeners();
        socket.disconnect(true);
      },
      0,
      (io) => {
        io.of(/^\/dynamic-\w+$/).on('connection', (socket) => {
          socket.removeAllListeners();
          socket.disconnect();
        });
      },
    );
    await next(town.eve, 'disconnect');
    const other = client(`${town.url}/dynamic-1`);
    await next(other, 'disconnect');
    expect(await town.metric('socketfleet_sockets{nsp="/"}')).toBe(1);
    expect(await town.metric('socketfleet_sockets{nsp="dynamic"}')).toBe(0);
    await town.expectPeace();
  });

  it('that calls a client-given value as if it were an ack fails alone', async () => {
    const town = await startFaulty((socket) => {
      socket.on('poke', (_data, answer) => {
        if (typeof answer !== 'function') boom();
        answer('fine');
      });
    });
    town.eve.emit('poke', 1, 'not a function');
    await town.expectFault();
    expect(await town.eve.timeout(5_000).emitWithAck('poke', 1)).toBe('fine');
  });

  it('whose middleware never says next does not hold the client for ever', async () => {
    const town = await startTown({ SOCKETFLEET_CONNECT_TIMEOUT_MS: '300' }, (io) => {
      io.use((socket, next) => (socket.handshake.query.faulty ? undefined : next()));
    });
    const eve = client(town.url, { query: { faulty: '1' }, reconnection: false });
    await new Promise((resolve) => eve.io.once('close', resolve));
    await town.expectPeace();
  });
});
