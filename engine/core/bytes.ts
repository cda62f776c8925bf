/**
 * Bounded little-endian reader and writer over a byte array. A reader that runs over its end, or
 * meets a number that is no safe integer, turns `ok` to false and answers zeroes from then on: it
 * never throws, because what it reads comes from a disk or a peer.
 */
import { invariant } from './invariant.ts';

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  at: number;
  ok = true;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.#end = end;
  }

  u8(): number {
    return this.#take(1) ? this.#view.getUint8(this.at - 1) : 0;
  }
  u16(): number {
    return this.#take(2) ? this.#view.getUint16(this.at - 2, true) : 0;
  }
  u32(): number {
    return this.#take(4) ? this.#view.getUint32(this.at - 4, true) : 0;
  }
  /** A non-negative safe integer held in 64 bits. */
  uint(): number {
    if (!this.#take(8)) return 0;
    const low = this.#view.getUint32(this.at - 8, true);
    const high = this.#view.getUint32(this.at - 4, true);
    if (high < 0x200000) return high * 4294967296 + low;
    this.ok = false;
    return 0;
  }
  /** `count` bytes as lower-case hexadecimal digits. */
  hex(count: number): string {
    let text = '';
    for (let i = 0; i < count; i += 1) text += (this.u8() + 256).toString(16).slice(1);
    return text;
  }
  /** A length byte and that many printable ASCII characters. */
  text(): string {
    const length = this.u8();
    let text = '';
    for (let i = 0; i < length; i += 1) {
      const code = this.u8();
      if (code < 0x20 || code > 0x7e) this.ok = false;
      text += String.fromCharCode(code);
    }
    return this.ok ? text : '';
  }
  /** A view of the next `count` bytes. */
  bytes(count: number): Uint8Array {
    if (!this.#take(count)) return new Uint8Array(0);
    return this.#bytes.subarray(this.at - count, this.at);
  }

  #take(count: number): boolean {
    if (!this.ok || this.at + count > this.#end) {
      this.ok = false;
      return false;
    }
    this.at += count;
    return true;
  }
}

/** Writes into a fixed array; running over its end breaks a belief of ours. */
export class ByteWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
  }

  u8(value: number): void {
    this.#view.setUint8(this.#take(1), value);
  }
  u16(value: number): void {
    this.#view.setUint16(this.#take(2), value, true);
  }
  u32(value: number): void {
    this.#view.setUint32(this.#take(4), value, true);
  }
  uint(value: number): void {
    invariant(Number.isSafeInteger(value) && value >= 0, 'what is encoded is a safe integer');
    const at = this.#take(8);
    this.#view.setUint32(at, value % 4294967296, true);
    this.#view.setUint32(at + 4, Math.floor(value / 4294967296), true);
  }
  /** Lower-case hexadecimal digits, two a byte. By character codes: it is on every page's way. */
  hex(digits: string): void {
    for (let i = 0; i < digits.length; i += 2) {
      this.u8((digitOf(digits.charCodeAt(i)) << 4) | digitOf(digits.charCodeAt(i + 1)));
    }
  }
  /** Printable ASCII, cut at 64 characters. */
  text(value: string): void {
    const length = Math.min(value.length, 64);
    this.u8(length);
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i);
      this.u8(code < 0x20 || code > 0x7e ? 0x3f : code);
    }
  }
  bytes(value: Uint8Array): void {
    this.#bytes.set(value, this.#take(value.length));
  }

  #take(count: number): number {
    const at = this.at;
    invariant(at + count <= this.#bytes.length, 'what is encoded fits its page');
    this.at = at + count;
    return at;
  }
}

/** The value of a hexadecimal digit's character code. */
function digitOf(code: number): number {
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}
