import { describe, expect, it } from 'vitest';
import { roomName, roomOf } from '../../../src/realtime/room-names.ts';

describe('room names', () => {
  it.each(['lobby', '', 'r:lobby', 'p:lobby', ':', '__proto__', 'ein Raum', '\u{1f600}', 'x'.repeat(128)])(
    '%j comes back as it was',
    (room) => {
      expect(roomOf(roomName(room))).toBe(room);
    },
  );

  it('never equal the id of a socket, a watchers room or another room', () => {
    const socketId = 'Sh7wPrCnlrqzlIbtAAAA';
    for (const room of [socketId, `p:${socketId}`, 'p:lobby']) expect(roomName(room)).not.toBe(room);
    expect(roomName('r:lobby')).not.toBe(roomName('lobby'));
  });

  it.each(['Sh7wPrCnlrqzlIbtAAAA', 'p:lobby', '', 'R:lobby', ' r:lobby'])('%j is no room of the API', (name) => {
    expect(roomOf(name)).toBeUndefined();
  });
});
