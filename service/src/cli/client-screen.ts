/** Where the terminal client prints, and where typed lines come from. */
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import { Writable } from 'node:stream';

/** What a command line program needs of the process around it. */
export interface ClientIo {
  /** Writes as it is, without a line end of its own. */
  out(text: string): void;
  err(text: string): void;
  input: NodeJS.ReadableStream;
  /** A person sits there: a prompt, colours, and lines are not answered one by one. */
  isTty: boolean;
  env: NodeJS.ProcessEnv;
  /** Width of the terminal, for long lines. */
  columns?(): number | undefined;
  /** Registers what to do on Ctrl-C. */
  onInterrupt?(call: () => void): void;
}

/** Lines in, lines out. */
export interface Screen {
  /** Prints above the line that is being typed. */
  print(line: string): void;
  prompt(text: string): void;
  /** The lines of the input, in order. One reader only. */
  lines(): AsyncIterable<string>;
  onInterrupt(call: () => void): void;
  close(): void;
}

/** A screen for a person, or plain lines for a pipe. */
export function createScreen(io: ClientIo): Screen {
  return io.isTty ? personScreen(io) : pipeScreen(io);
}

function pipeScreen(io: ClientIo): Screen {
  let rl: Interface | undefined;
  return {
    print: (line) => io.out(`${line}\n`),
    prompt: () => undefined,
    lines() {
      // Not earlier: lines that arrive before somebody iterates are lost.
      rl = createInterface({ input: io.input, crlfDelay: Number.POSITIVE_INFINITY, terminal: false });
      return rl;
    },
    onInterrupt: (call) => io.onInterrupt?.(call),
    close: () => rl?.close(),
  };
}

function personScreen(io: ClientIo): Screen {
  const output = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      io.out(chunk);
      done();
    },
  });
  Object.defineProperty(output, 'columns', { get: () => io.columns?.() });
  const rl = createInterface({ input: io.input, output, terminal: true, historySize: 200 });
  return {
    print: (line) => printAbove(rl, output, line),
    prompt(text) {
      rl.setPrompt(text);
      rl.prompt(true);
    },
    lines: () => rl,
    onInterrupt(call) {
      // In raw mode Ctrl-C is a key; otherwise it is a signal.
      rl.on('SIGINT', call);
      io.onInterrupt?.(call);
    },
    close: () => rl.close(),
  };
}

function printAbove(rl: Interface, output: Writable, line: string): void {
  const at = rl.getCursorPos();
  moveCursor(output, 0, -at.rows);
  cursorTo(output, 0);
  clearScreenDown(output);
  const typed = rl.getPrompt() + rl.line;
  output.write(`${line}\n${typed}`);
  // Drawn by hand and in the same shape: prompt() moves by a number of rows that is out of date while somebody types.
  const columns = 'columns' in output && typeof output.columns === 'number' ? output.columns : Number.POSITIVE_INFINITY;
  if (typed.length % columns === 0) output.write(' ');
  moveCursor(output, 0, at.rows - Math.floor(typed.length / columns));
  cursorTo(output, at.cols);
}
