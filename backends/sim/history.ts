/**
 * What the clients of one volume did and saw: the record that the oracles read. An operation's
 * number is also the stamp that a write leaves in its sectors; 0 is a sector never written. Moments
 * are numbers of a counter that rises with every invocation and completion, so that before and
 * after are never in doubt, even within one microsecond.
 */

/** What an operation is. */
export const Request = { Read: 1, Write: 2, Flush: 3 } as const;

/** All operations on one volume, in order of invocation. */
export class History {
  /** Operations so far; the first is number 1. */
  count = 0;
  /** The last moment given out. */
  moment = 0;
  kind: Uint8Array = new Uint8Array(0);
  sector: Int32Array = new Int32Array(0);
  length: Int32Array = new Int32Array(0);
  fua: Uint8Array = new Uint8Array(0);
  /** 1 for a write of zeroes. */
  zero: Uint8Array = new Uint8Array(0);
  node: Uint8Array = new Uint8Array(0);
  session: Int32Array = new Int32Array(0);
  /** When it was invoked. */
  invoked: Int32Array = new Int32Array(0);
  /** When it completed with success; 0 while it has not. */
  completed: Int32Array = new Int32Array(0);
  /** For one that never will: by when it took effect, if it did; 0 while its client waits. */
  closed: Int32Array = new Int32Array(0);

  constructor() {
    this.#grow(8192);
  }

  reset(): void {
    this.count = 0;
    this.moment = 0;
  }

  /** Records an invocation and returns the operation's number. */
  invoke(
    kind: number,
    sector: number,
    length: number,
    fua: boolean,
    node: number,
    session: number,
    zero = false,
  ): number {
    this.count += 1;
    const op = this.count;
    if (op >= this.kind.length) this.#grow(this.kind.length * 2);
    this.kind[op] = kind;
    this.sector[op] = sector;
    this.length[op] = length;
    this.fua[op] = fua ? 1 : 0;
    this.zero[op] = zero ? 1 : 0;
    this.node[op] = node;
    this.session[op] = session;
    this.moment += 1;
    this.invoked[op] = this.moment;
    this.completed[op] = 0;
    this.closed[op] = 0;
    return op;
  }

  complete(op: number): void {
    this.moment += 1;
    this.completed[op] = this.moment;
  }

  /** A moment of its own, for something that is not an operation. */
  tick(): number {
    this.moment += 1;
    return this.moment;
  }

  /** Whether write `op` covers the sector. */
  covers(op: number, sector: number): boolean {
    const first = this.sector[op] as number;
    return (
      op >= 1 &&
      op <= this.count &&
      this.kind[op] === Request.Write &&
      sector >= first &&
      sector < first + (this.length[op] as number)
    );
  }

  #grow(capacity: number): void {
    this.kind = bytes(this.kind, capacity);
    this.fua = bytes(this.fua, capacity);
    this.zero = bytes(this.zero, capacity);
    this.node = bytes(this.node, capacity);
    this.sector = ints(this.sector, capacity);
    this.length = ints(this.length, capacity);
    this.session = ints(this.session, capacity);
    this.invoked = ints(this.invoked, capacity);
    this.completed = ints(this.completed, capacity);
    this.closed = ints(this.closed, capacity);
  }
}

function ints(from: Int32Array, length: number): Int32Array {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}

function bytes(from: Uint8Array, length: number): Uint8Array {
  const to = new Uint8Array(length);
  to.set(from);
  return to;
}
