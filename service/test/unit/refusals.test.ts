import { STATUS_CODES } from 'node:http';
import { describe, expect, it } from 'vitest';
import { REFUSALS, type Refusal, type RefusalCode, Refused, refusalBody } from '../../src/refusals.ts';

const rows = Object.entries(REFUSALS) as [RefusalCode, Refusal][];

describe('refusals', () => {
  it.each(rows)(
    '%s has a code for clients, a sentence, a status and a close code that its protocol knows',
    (code, row) => {
      expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
      expect(row.message).toMatch(/^[a-z0-9][ -~]*[^.]$/);
      expect(row.status).toBeGreaterThanOrEqual(400);
      expect(STATUS_CODES[row.status]).toBeDefined();
      expect(typeof row.retry).toBe('boolean');
      if (row.close !== undefined) {
        const isPrivate = row.close >= 4000 && row.close <= 4999;
        expect(isPrivate || [1008, 1009, 1012, 1013].includes(row.close)).toBe(true);
        // A close frame has room for 123 bytes of text.
        expect(Buffer.byteLength(row.message)).toBeLessThanOrEqual(123);
      }
    },
  );

  it.each(rows)('%s answers with exactly ok, code, message and retry', (code, row) => {
    expect(refusalBody(code)).toEqual({ ok: false, code, message: row.message, retry: row.retry });
    expect(refusalBody(code, 'room')).toEqual({ ok: false, code, message: `${row.message}: room`, retry: row.retry });
  });

  it.each(rows)('%s can be thrown, and shows clients the same body', (code) => {
    const error = new Refused(code, 'why');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'Refused', refusal: code, message: refusalBody(code, 'why').message });
    expect(error.data).toEqual(refusalBody(code, 'why'));
    expect(JSON.stringify(error.data)).not.toContain('stack');
  });

  it('that overload or a stop cause can be retried, and those that a request causes cannot', () => {
    const retried = rows.filter(([, row]) => row.retry).map(([code]) => code);
    expect(retried.sort()).toEqual(
      [
        'brake',
        'draining',
        'full',
        'rate_limited',
        'slow_reader',
        'token_expired',
        'too_many_sessions',
        'unavailable',
      ].sort(),
    );
  });

  it('give each close code to one reason', () => {
    const codes = rows.flatMap(([, row]) => row.close ?? []);
    expect(new Set(codes).size).toBe(codes.length);
  });
});
