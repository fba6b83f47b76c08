import { describe, expect, it } from 'vitest';
import { openJoined, openSession, TRANSPORTS } from '../../support/raw-session.ts';
import { startConformance } from '../../support/start-conformance.ts';

const CALM = { SOCKETFLEET_PING_INTERVAL_MS: '5000' };

describe.each(TRANSPORTS)('the Socket.IO protocol over %s', (transport) => {
  async function joined(nsp = '/') {
    const { url } = await startConformance(CALM);
    const session = await openJoined(url, transport, nsp);
    await session.receive();
    return { url, session };
  }

  it('answers CONNECT with the id of the socket and nothing else', async () => {
    const { url } = await startConformance(CALM);
    const session = await openJoined(url, transport);
    expect(JSON.parse(session.answer.slice(2))).toEqual({ sid: expect.stringMatching(/^.{20}$/) });
    expect(session.answer).not.toContain(session.handshake.sid);
  });

  it('hands the auth payload of CONNECT to the handlers', async () => {
    const { url } = await startConformance(CALM);
    const session = await openSession(url, transport);
    await session.send('40{"token":"123"}');
    await session.receive();
    expect(await session.receive()).toBe('42["auth",{"token":"123"}]');
  });

  it('joins a further namespace on the same connection, with its own id', async () => {
    const { session } = await joined();
    await session.send('40/custom,{"token":"abc"}');
    expect(String(await session.receive())).toMatch(/^40\/custom,\{"sid":".{20}"\}$/);
    expect(await session.receive()).toBe('42/custom,["auth",{"token":"abc"}]');
    await session.send('42["message"]');
    expect(await session.receive()).toBe('42["message-back"]');
  });

  it('joins a namespace without joining / first', async () => {
    const { url } = await startConformance(CALM);
    const session = await openJoined(url, transport, '/custom');
    expect(session.answer).toMatch(/^40\/custom,/);
    expect(await session.receive()).toBe('42/custom,["auth",{}]');
  });

  it('says so when a namespace does not exist, and keeps the connection', async () => {
    const { session } = await joined();
    await session.send('40/random,');
    expect(await session.receive()).toBe('44/random,{"message":"Invalid namespace"}');
    await session.send('42["message"]');
    expect(await session.receive()).toBe('42["message-back"]');
  });

  it('closes a connection that sends an event to a namespace it has not joined', async () => {
    const { session } = await joined();
    await session.send('42/custom,["message"]');
    await session.ended();
  });

  it('closes a connection that sends an event before CONNECT', async () => {
    const { url } = await startConformance(CALM);
    const session = await openSession(url, transport);
    await session.send('42["message"]');
    await session.ended();
  });

  it('leaves one namespace and keeps the other', async () => {
    const { session } = await joined();
    await session.send('40/custom,');
    await session.receive();
    await session.receive();
    await session.send('41/custom,');
    await session.send('42["message"]');
    expect(await session.receive()).toBe('42["message-back"]');
  });

  it('lets a socket come back to a namespace that it has left', async () => {
    const { session } = await joined();
    await session.send('41');
    // A packet is handled one turn after it was read: CONNECT in the same turn would still find the old socket.
    await session.send('40/random,');
    await session.receive();
    await session.send('40');
    expect(String(await session.receive())).toMatch(/^40\{"sid":/);
  });

  it('closes a connection that joins the same namespace twice', async () => {
    const { session } = await joined();
    await session.send('40');
    await session.ended();
  });

  it.each([
    ['no argument', '42["message"]', '42["message-back"]'],
    ['every kind of JSON', '42["message",1,"2",{"3":[true,null]}]', '42["message-back",1,"2",{"3":[true,null]}]'],
    ['text beyond ASCII', '42["message","€ 🎈 \\u0000"]', '42["message-back","€ 🎈 \\u0000"]'],
  ])('brings events to their handlers with %s', async (_what, packet, answer) => {
    const { session } = await joined();
    await session.send(packet);
    expect(await session.receive()).toBe(answer);
  });

  it('answers an event that asks for it under its number', async () => {
    const { session } = await joined();
    await session.send('42456["message-with-ack",1,"2",{"3":[false]}]');
    expect(await session.receive()).toBe('43456[1,"2",{"3":[false]}]');
    await session.send('420["message-with-ack"]');
    expect(await session.receive()).toBe('430[]');
  });

  it('brings binary events and answers with binary', async () => {
    const { session } = await joined();
    const [one, two] = [Buffer.from([1, 2, 3]), Buffer.from([4, 5])];
    await session.send(
      '452-["message",{"_placeholder":true,"num":0},{"deep":{"_placeholder":true,"num":1}}]',
      one,
      two,
    );
    expect(await session.receive()).toBe(
      '452-["message-back",{"_placeholder":true,"num":0},{"deep":{"_placeholder":true,"num":1}}]',
    );
    expect([await session.receive(), await session.receive()]).toEqual([one, two]);
    await session.send('451-789["message-with-ack",{"_placeholder":true,"num":0}]', one);
    expect(await session.receive()).toBe('461-789[{"_placeholder":true,"num":0}]');
    expect(await session.receive()).toEqual(one);
  });

  it.each([
    ['an unknown packet type', ['4abc']],
    ['a packet type out of range', ['49']],
    ['nothing in a message', ['4']],
    ['JSON that does not end', ['42["message"']],
    ['an event that is no list', ['42{"a":1}']],
    ['an event without a name', ['42[]']],
    ['an event whose name is an object', ['42[{"toString":1}]']],
    ['a CONNECT with a list', ['40[]']],
    ['a CONNECT with text', ['40"abc"']],
    ['a CONNECT with null', ['40null']],
    ['a DISCONNECT with data', ['41{"a":1}']],
    ['an ack that is no list', ['430{"a":1}']],
    ['CONNECT_ERROR, which only servers send', ['44{"message":"no"}']],
    ['binary that was not announced', [Buffer.from([1, 2])]],
    ['text where binary was announced', ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]']],
    ['an attachment that does not exist', ['451-["message",{"_placeholder":true,"num":5}]', Buffer.from([1])]],
    [
      'an attachment with a number that is none',
      ['451-["message",{"_placeholder":true,"num":"splice"}]', Buffer.from([1])],
    ],
    ['no attachment where one is announced', ['450-["message"]']],
    ['more attachments than are allowed', ['4511-["message"]']],
    ['a number of attachments that is none', ['45x-["message"]']],
  ])('closes a connection that sends %s, and only that one', async (_what, packets) => {
    const { url, session } = await joined();
    const bystander = await openJoined(url, transport);
    await bystander.receive();
    await session.send(...packets);
    await session.ended();
    await bystander.send('42["message"]');
    expect(await bystander.receive()).toBe('42["message-back"]');
  });

  it.each(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'])(
    'closes a connection that sends the reserved event %s',
    async (name) => {
      const { session } = await joined();
      await session.send(`42["${name}","x"]`);
      await session.ended();
    },
  );

  it('ignores an answer to a question that was never asked', async () => {
    const { session } = await joined();
    await session.send('4399["x"]', '42["message"]');
    expect(await session.receive()).toBe('42["message-back"]');
  });

  it('closes a connection that joins nothing in time', async () => {
    const { url } = await startConformance({ ...CALM, SOCKETFLEET_CONNECT_TIMEOUT_MS: '200' });
    const session = await openSession(url, transport);
    const start = performance.now();
    await session.ended();
    expect(performance.now() - start).toBeGreaterThan(150);
  });

  it('keeps a connection past that time once it has joined', async () => {
    const { url } = await startConformance({
      SOCKETFLEET_PING_INTERVAL_MS: '300',
      SOCKETFLEET_CONNECT_TIMEOUT_MS: '200',
    });
    const session = await openJoined(url, transport);
    await session.receive();
    expect(await session.receiveAny()).toBe('2');
    await session.send('3', '42["message"]');
    expect(await session.receive()).toBe('42["message-back"]');
  });
});
