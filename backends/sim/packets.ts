/**
 * Frames of the replication links, copied out of the sender's memory when sent, as a socket does.
 * Pooled: a packet is a number.
 */

import { Header } from '../../engine/data/abi.ts';
import type { Zeroes } from './zeroes.ts';

/** What a packet is. */
export const Packet = {
  Write: 1,
  Ack: 2,
  Message: 3,
  /** The other side closed. */
  Fin: 4,
  /** This side's process is yet to hear that its link is up. */
  Up: 5,
  /** This side's process is yet to hear that its link is down. */
  Down: 6,
  /** A read that the other side is asked for. */
  Read: 7,
  /** The answer to one. */
  Data: 8,
} as const;

const HEADER_WORDS = 16;
const PAGE_BYTES = 4096;

/** All packets of one world. */
export class PacketPool {
  readonly #maxSectors: number;
  kind: Int32Array = new Int32Array(0);
  /** Link incarnation that it travels on. */
  incarnation: Int32Array = new Int32Array(0);
  slot: Int32Array = new Int32Array(0);
  flags: Int32Array = new Int32Array(0);
  length: Int32Array = new Int32Array(0);
  status: Int32Array = new Int32Array(0);
  offset: Float64Array = new Float64Array(0);
  headers: Uint32Array = new Uint32Array(0);
  stamps: Int32Array = new Int32Array(0);
  readonly #pages: (Uint8Array | undefined)[] = [];
  readonly #free: number[] = [];

  constructor(maxSectors: number) {
    this.#maxSectors = maxSectors;
    this.#grow(64);
  }

  /** Takes all packets back: another run begins. */
  reset(): void {
    this.#free.length = 0;
    for (let packet = this.kind.length - 1; packet >= 0; packet -= 1) this.#free.push(packet);
  }

  /** Takes a packet. */
  take(kind: number, incarnation: number): number {
    if (this.#free.length === 0) this.#grow(this.kind.length * 2);
    const packet = this.#free.pop() as number;
    this.kind[packet] = kind;
    this.incarnation[packet] = incarnation;
    return packet;
  }

  release(packet: number): void {
    this.kind[packet] = 0;
    this.#free.push(packet);
  }

  /** Copies a slot header in. */
  putHeader(packet: number, from: Uint32Array, slot: number): void {
    const to = packet * HEADER_WORDS;
    const at = slot * HEADER_WORDS;
    for (let i = 0; i < HEADER_WORDS; i += 1) this.headers[to + i] = from[at + i] as number;
  }

  /** Copies the header out into a slot. */
  takeHeader(packet: number, to: Uint32Array, slot: number): void {
    const from = packet * HEADER_WORDS;
    const at = slot * HEADER_WORDS;
    for (let i = 0; i < HEADER_WORDS; i += 1) to[at + i] = this.headers[from + i] as number;
  }

  /** Word `n` of the digest in the packet's header. */
  digestOf(packet: number, n: number): number {
    return this.headers[packet * HEADER_WORDS + (Header.Digest >> 2) + n] as number;
  }

  putStamps(packet: number, from: Int32Array, at: number, count: number): void {
    const to = packet * this.#maxSectors;
    for (let i = 0; i < count; i += 1) this.stamps[to + i] = from[at + i] as number;
  }

  takeStamps(packet: number, to: Int32Array, at: number, count: number): void {
    const from = packet * this.#maxSectors;
    for (let i = 0; i < count; i += 1) to[at + i] = this.stamps[from + i] as number;
  }

  /** Leaves of the first `count` stamps what a frame without payload tells. */
  mapStamps(packet: number, count: number, zeroes: Zeroes): void {
    const at = packet * this.#maxSectors;
    for (let i = at; i < at + count; i += 1) this.stamps[i] = zeroes.sent(this.stamps[i] as number);
  }

  // Loops: most messages are so short that a view of them would cost more than the copy.

  /** Copies the `count` bytes of a message in. */
  putBytes(packet: number, from: Uint8Array, at: number, count: number): void {
    const to = this.page(packet);
    for (let i = 0; i < count; i += 1) to[i] = from[at + i] as number;
  }

  /** Copies the bytes of a message out. */
  takeBytes(packet: number, to: Uint8Array, at: number, count: number): void {
    const from = this.page(packet);
    for (let i = 0; i < count; i += 1) to[at + i] = from[i] as number;
  }

  /** The bytes of a message. */
  page(packet: number): Uint8Array {
    const known = this.#pages[packet];
    if (known !== undefined) return known;
    const made = new Uint8Array(PAGE_BYTES);
    this.#pages[packet] = made;
    return made;
  }

  #grow(capacity: number): void {
    const old = this.kind.length;
    this.kind = ints(this.kind, capacity);
    this.incarnation = ints(this.incarnation, capacity);
    this.slot = ints(this.slot, capacity);
    this.flags = ints(this.flags, capacity);
    this.length = ints(this.length, capacity);
    this.status = ints(this.status, capacity);
    const offset = new Float64Array(capacity);
    offset.set(this.offset);
    this.offset = offset;
    const headers = new Uint32Array(capacity * HEADER_WORDS);
    headers.set(this.headers);
    this.headers = headers;
    this.stamps = ints(this.stamps, capacity * this.#maxSectors);
    for (let packet = capacity - 1; packet >= old; packet -= 1) this.#free.push(packet);
  }
}

function ints(from: Int32Array, length: number): Int32Array {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}
