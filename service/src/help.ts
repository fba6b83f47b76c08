import { SETTINGS } from './settings.ts';

/** What `--help` prints: commands, exit codes and the table of settings. */
export function helpText(): string {
  const rows = Object.values(SETTINGS).map((row) => {
    const file = 'secret' in row ? ` (or ${row.env}_FILE)` : '';
    return `  ${row.env}${file}\n      ${row.about} [${row.type}; default ${row.whenUnset === '' ? 'none' : row.whenUnset}]`;
  });
  return [
    'socketfleet: a realtime tier for Socket.IO clients',
    '',
    'usage:',
    '  socketfleet                  runs the server',
    '  socketfleet token --help     mints a token for trying',
    '  socketfleet client --help    a small terminal client',
    '  socketfleet check --help     looks at a running installation from outside',
    '  socketfleet --print-config   shows the settings as parsed, secrets hidden',
    '',
    'exit codes: 0 stopped after a drain, 1 fault, 2 settings or arguments not valid, 130 second Ctrl-C',
    '',
    'settings (environment variables):',
    ...rows,
    '',
  ].join('\n');
}
