/** What one typed line asks for. */
export type Command =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'join'; readonly room: string }
  | { readonly kind: 'leave'; readonly room: string | undefined }
  | { readonly kind: 'switch'; readonly room: string }
  | { readonly kind: 'who'; readonly room: string | undefined }
  | { readonly kind: 'me' | 'ping' | 'quit' | 'help' | 'nothing' }
  | { readonly kind: 'problem'; readonly text: string };

/** Reads one typed line. A slash starts a command, two slashes say a text that starts with one. */
export function parseLine(line: string): Command {
  if (line.trim() === '') return { kind: 'nothing' };
  if (line.startsWith('//')) return { kind: 'say', text: line.slice(1) };
  if (!line.startsWith('/')) return { kind: 'say', text: line };
  const [, name = '', rest = ''] = /^\/(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
  const room = rest === '' ? undefined : rest;
  switch (name) {
    case 'join':
      return room === undefined ? needsRoom(name) : { kind: 'join', room };
    case 'room':
      return room === undefined ? needsRoom(name) : { kind: 'switch', room };
    case 'leave':
    case 'who':
      return { kind: name, room };
    case 'me':
    case 'ping':
    case 'quit':
    case 'help':
      return { kind: name };
    default:
      return { kind: 'problem', text: `/${name} is not a command; /help lists them` };
  }
}

function needsRoom(name: string): Command {
  return { kind: 'problem', text: `/${name} needs the name of a room` };
}
