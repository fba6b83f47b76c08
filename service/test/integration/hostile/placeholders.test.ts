import { describe, expect, it } from 'vitest';
import { ask, connect, next } from '../../support/connect.ts';
import { startTown } from './town.ts';

const FORGED = { _placeholder: true, num: 9 };
const PEACEFUL = { name: 'Ada' };

describe('what imitates the place of a buffer', () => {
  it('is not shown to members, nor are buffers beside which it would harm them', async () => {
    const town = await startTown();
    await ask(town.bystander, 'join', 'town', { presence: PEACEFUL });
    let closed = 0;
    town.bystander.on('disconnect', () => closed++);
    const eve = await connect(town.url);
    const mallory = await connect(town.url);
    const refused = { ok: false, code: 'bad_request', message: expect.stringContaining('presence') };
    expect(await ask(eve, 'join', 'town', { presence: { x: FORGED } })).toMatchObject(refused);
    expect(await ask(mallory, 'join', 'town', { presence: { b: Buffer.from('hi') } })).toMatchObject(refused);
    const change = next(town.bystander, 'presence');
    await ask(eve, 'join', 'town', { presence: { name: 'Eve' } });
    expect((await change)[0]).toMatchObject({
      joined: expect.arrayContaining([{ id: eve.id, meta: { name: 'Eve' } }]),
    });
    expect(await ask(town.bystander, 'presence', 'town')).toMatchObject({ ok: true, count: 2 });
    expect(closed).toBe(0);
    await town.expectPeace();
  });

  it('cannot be published, where an app might put it beside a buffer', async () => {
    const town = await startTown();
    const eve = await connect(town.url);
    for (const data of [FORGED, { a: [FORGED] }]) {
      expect(await ask(eve, 'publish', 'town', data)).toMatchObject({
        ok: false,
        code: 'bad_request',
        message: expect.stringContaining('data'),
      });
    }
    const heard = next(town.bystander, 'message');
    expect(await ask(eve, 'publish', 'town', { a: Buffer.from('fine') })).toMatchObject({ ok: true });
    expect((await heard)[0]).toEqual({ a: Buffer.from('fine') });
    await town.expectPeace();
  });
});
