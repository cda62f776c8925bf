/** JSON objects, one a line, over a Unix socket between the processes of one host. */
import type { Socket } from 'node:net';

/** Longest line; anything longer is no message of ours. */
const LINE_BYTES_MAX = 1024 * 1024;

/** What a channel hears. */
export interface LineSink {
  message(value: Readonly<Record<string, unknown>>): void;
  /** Called once, however the channel ended. */
  closed(): void;
}

/** Both ends are processes of ours, of the same version or the next. */
export class LineChannel {
  #socket: Socket;
  #sink: LineSink;
  #rest = '';
  #open = true;

  constructor(socket: Socket, sink: LineSink) {
    this.#socket = socket;
    this.#sink = sink;
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => this.#take(piece));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#end());
  }

  /** Sends one object; dropped when the channel is closed, for all messages are repeated. */
  send(value: object): void {
    if (this.#open) this.#socket.write(`${JSON.stringify(value)}\n`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(piece: string): void {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LINE_BYTES_MAX) this.#socket.destroy();
    for (const line of lines) {
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        this.#socket.destroy();
        return;
      }
      if (typeof value === 'object' && value !== null) {
        this.#sink.message(value as Record<string, unknown>);
      }
    }
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sink.closed();
  }
}
