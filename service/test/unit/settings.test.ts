import { describe, expect, it } from 'vitest';
import { helpText } from '../../src/help.ts';
import { SETTINGS } from '../../src/settings.ts';

const rows = Object.values(SETTINGS);

describe('the table of settings', () => {
  it('names each variable once', () => {
    const names = rows.map((row) => row.env);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(rows.map((row) => [row.env, row] as const))('%s is a default, a type and a sentence', (name, row) => {
    expect(name).toMatch(/^(?:PORT|HOST|LOG_LEVEL|REDIS_URL|SOCKETFLEET_[A-Z][A-Z_]*[A-Z])$/);
    expect(row.type).not.toBe('');
    expect(row.about).toMatch(/^\S.*[.]$/);
    expect(row.parse.safeParse(row.whenUnset).success).toBe(true);
  });

  it('says the unit of every time and size in its name', () => {
    for (const row of rows) {
      expect(row.env.endsWith('_MS'), row.env).toBe(row.type === 'ms');
      if (row.type === 'bytes') expect(row.env).toMatch(/BYTES/);
    }
  });
});

describe('the help text', () => {
  const text = helpText();

  it.each(rows.map((row) => [row.env, row] as const))('tells what %s is, its type and its default', (_name, row) => {
    expect(text).toContain(`  ${row.env}`);
    expect(text).toContain(row.about);
    expect(text).toContain(`[${row.type}; default ${row.whenUnset || 'none'}]`);
    expect(text.includes(`${row.env}_FILE`)).toBe('secret' in row);
  });

  it('names the commands and the exit codes', () => {
    for (const word of ['token', 'client', '--print-config', 'exit codes: 0', '2 settings'])
      expect(text).toContain(word);
  });
});
