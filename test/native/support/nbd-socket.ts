/** An NBD client that says exactly what it is told to, on a socket of this thread. */
import { createConnection, type Socket } from 'node:net';

/** Whoever turns the engines while the client waits. */
export interface Turner {
  until(condition: () => boolean): Promise<void>;
}

export interface NbdAnswer {
  readonly cookie: number;
  readonly error: number;
  /** What a read brought. */
  readonly data: Buffer;
}

const MAGIC_REQUEST = 0x25609513;
const TYPE_READ = 0;

export class NbdSocket {
  readonly socket: Socket;
  closed = false;
  refusal = '';
  #turner: Turner;
  #data = Buffer.alloc(0);
  #lengths = new Map<number, number>();

  static async open(turner: Turner, to: { path: string } | { port: number }): Promise<NbdSocket> {
    const socket =
      'path' in to ? createConnection(to.path) : createConnection(to.port, '127.0.0.1');
    socket.setNoDelay(true);
    const client = new NbdSocket(turner, socket);
    await turner.until(() => !socket.connecting);
    return client;
  }

  private constructor(turner: Turner, socket: Socket) {
    this.#turner = turner;
    this.socket = socket;
    socket.on('data', (data) => {
      this.#data = Buffer.concat([this.#data, data as Buffer]);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  async take(count: number): Promise<Buffer> {
    await this.#turner.until(() => this.#data.length >= count || this.closed);
    if (this.#data.length < count) throw new Error('the server hung up');
    const taken = this.#data.subarray(0, count);
    this.#data = this.#data.subarray(count);
    return taken;
  }

  /** Negotiates; false when refused. */
  async go(name: string): Promise<boolean> {
    await this.take(18);
    const option = Buffer.alloc(4 + 16 + 4 + name.length + 2);
    option.writeUInt32BE(3);
    option.writeBigUInt64BE(0x49484156454f5054n, 4);
    option.writeUInt32BE(7, 12);
    option.writeUInt32BE(6 + name.length, 16);
    option.writeUInt32BE(name.length, 20);
    option.write(name, 24);
    this.socket.write(option);
    for (;;) {
      const head = await this.take(20);
      const data = await this.take(head.readUInt32BE(16));
      const type = head.readUInt32BE(12);
      if (type === 1) return true;
      if (type < 0x80000000) continue;
      this.refusal = data.toString();
      return false;
    }
  }

  read(cookie: number, offset: number, length: number): void {
    this.request(TYPE_READ, 0, cookie, offset, length);
  }

  request(
    type: number,
    flags: number,
    cookie: number,
    offset: number,
    length: number,
    payload = Buffer.alloc(0),
  ): void {
    this.requestBig(type, flags, cookie, BigInt(offset), length, payload);
  }

  requestBig(
    type: number,
    flags: number,
    cookie: number,
    offset: bigint,
    length: number,
    payload = Buffer.alloc(0),
  ): void {
    const head = Buffer.alloc(28);
    head.writeUInt32BE(MAGIC_REQUEST);
    head.writeUInt16BE(flags, 4);
    head.writeUInt16BE(type, 6);
    head.writeBigUInt64BE(BigInt(cookie), 8);
    head.writeBigUInt64BE(offset, 16);
    head.writeUInt32BE(length, 24);
    if (type === TYPE_READ) this.#lengths.set(cookie, length);
    this.socket.write(Buffer.concat([head, payload]));
  }

  /** Waits for `count` answers; by cookie. */
  async answers(count: number): Promise<NbdAnswer[]> {
    const answers: NbdAnswer[] = [];
    while (answers.length < count) {
      await this.#turner.until(() => this.closed || this.#whole() > 0);
      const answer = this.#next();
      if (answer === null) throw new Error('the server hung up');
      answers.push(answer);
    }
    return answers.sort((a, b) => a.cookie - b.cookie);
  }

  /** What has come in full by now, in order. */
  arrived(): NbdAnswer[] {
    const answers: NbdAnswer[] = [];
    for (let next = this.#next(); next !== null; next = this.#next()) answers.push(next);
    return answers;
  }

  /** Bytes of the next answer when it is there in full, else 0. */
  #whole(): number {
    if (this.#data.length < 16) return 0;
    const failed = this.#data.readUInt32BE(4) !== 0;
    const cookie = Number(this.#data.readBigUInt64BE(8));
    const bytes = 16 + (failed ? 0 : (this.#lengths.get(cookie) ?? 0));
    return this.#data.length < bytes ? 0 : bytes;
  }

  #next(): NbdAnswer | null {
    const bytes = this.#whole();
    if (bytes === 0) return null;
    const answer = this.#data.subarray(0, bytes);
    this.#data = this.#data.subarray(bytes);
    return {
      cookie: Number(answer.readBigUInt64BE(8)),
      error: answer.readUInt32BE(4),
      data: answer.subarray(16),
    };
  }
}
