/** The part of RESP2 that a server needs: reads commands, writes replies. */

/** An answer: a simple string such as OK, a bulk string, an integer, nil, an array, or an error. */
export type Reply = string | Buffer | number | null | RedisError | readonly Reply[];

/** An error answer; its first word is the code by which clients tell errors apart. */
export class RedisError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Strings without line breaks travel as bulk strings, too: clients do not tell them apart. */
export function encodeReply(reply: Reply): Buffer {
  if (reply === null) return Buffer.from('$-1\r\n');
  if (typeof reply === 'number') return Buffer.from(`:${reply}\r\n`);
  if (reply instanceof RedisError) return Buffer.from(`-${reply.message}\r\n`);
  if (typeof reply === 'string' || Buffer.isBuffer(reply)) {
    const bytes = Buffer.from(reply);
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
  }
  return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encodeReply)]);
}

/** Collects bytes and returns the commands that are complete. Throws on anything that is no array of bulk strings. */
export function createCommandReader(): (chunk: Buffer) => Buffer[][] {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const commands: Buffer[][] = [];
    for (let next = readCommand(rest); next !== undefined; next = readCommand(rest)) {
      commands.push(next.command);
      rest = rest.subarray(next.end);
    }
    return commands;
  };
}

function readCommand(bytes: Buffer): { command: Buffer[]; end: number } | undefined {
  const head = readHeader(bytes, 0, '*');
  if (head === undefined) return undefined;
  const command: Buffer[] = [];
  let at = head.end;
  while (command.length < head.value) {
    const bulk = readHeader(bytes, at, '$');
    if (bulk === undefined || bytes.length < bulk.end + bulk.value + 2) return undefined;
    command.push(bytes.subarray(bulk.end, bulk.end + bulk.value));
    at = bulk.end + bulk.value + 2;
  }
  return { command, end: at };
}

function readHeader(bytes: Buffer, at: number, mark: string): { value: number; end: number } | undefined {
  const end = bytes.indexOf('\r\n', at);
  if (end < 0) return undefined;
  const line = bytes.toString('latin1', at, end);
  if (!line.startsWith(mark) || !/^\d+$/.test(line.slice(1))) throw new Error(`no RESP command: ${line}`);
  return { value: Number(line.slice(1)), end: end + 2 };
}
