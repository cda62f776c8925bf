/**
 * Bounded little-endian reader and writer over a byte array. A reader that runs over its end, or
 * meets a number that is no safe integer, turns `ok` to false and answers zeroes from then on: it
 * never throws, because what it reads comes from a disk or a peer.
 */
import { invariant } from './invariant.ts';

/** Each byte as two hexadecimal digits. */
const TWO_DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  (byte + 256).toString(16).slice(1),
);

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  at: number;
  ok = true;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  /** Bytes up to the end. */
  get left(): number {
    return this.ok ? this.#end - this.at : 0;
  }

  u8(): number {
    return this.#take(1) ? this.#byte(1) : 0;
  }
  u16(): number {
    return this.#take(2) ? this.#byte(2) | (this.#byte(1) << 8) : 0;
  }
  u32(): number {
    return this.#take(4) ? this.#word(4) : 0;
  }
  /** A non-negative safe integer held in 64 bits. */
  uint(): number {
    if (!this.#take(8)) return 0;
    const low = this.#word(8);
    const high = this.#word(4);
    if (high < 0x200000) return high * 4294967296 + low;
    this.ok = false;
    return 0;
  }
  /** `count` bytes as lower-case hexadecimal digits. */
  hex(count: number): string {
    let text = '';
    for (let i = 0; i < count; i += 1) text += TWO_DIGITS[this.u8()] as string;
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

  // By bytes: to make a DataView costs more than to read a whole message.
  /** The byte `back` bytes before the place reached. */
  #byte(back: number): number {
    return this.#bytes[this.at - back] as number;
  }
  #word(back: number): number {
    const low = this.#byte(back) | (this.#byte(back - 1) << 8) | (this.#byte(back - 2) << 16);
    return (low | (this.#byte(back - 3) << 24)) >>> 0;
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
  at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.at = start;
  }

  u8(value: number): void {
    this.#bytes[this.#take(1)] = value;
  }
  u16(value: number): void {
    const at = this.#take(2);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
  }
  u32(value: number): void {
    this.#word(this.#take(4), value);
  }
  uint(value: number): void {
    invariant(Number.isSafeInteger(value) && value >= 0, 'what is encoded is a safe integer');
    const at = this.#take(8);
    this.#word(at, value % 4294967296);
    this.#word(at + 4, Math.floor(value / 4294967296));
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

  #word(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
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
