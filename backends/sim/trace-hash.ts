/**
 * The trace hash: 64 bits over every input, decision, message and durable disk write of a run, in
 * order. Each step is a bijection of the state for a given word and of the word for a given state,
 * so a change of any one word changes the hash for certain, not just probably.
 */
import { mix32 } from '../../engine/core/rng.ts';
import type { Records } from '../../engine/data/memory.ts';

/** A running hash. */
export class TraceHash {
  #a = 0x243f6a88;
  #b = 0x13198a2e;
  /** Hashes of strings seen before: message kinds and field names repeat by the thousand. */
  readonly #strings = new Map<string, number>();

  /** Begins anew. */
  reset(): void {
    this.#a = 0x243f6a88;
    this.#b = 0x13198a2e;
  }

  /** Takes one 32-bit word. */
  word(x: number): void {
    const a = this.#a;
    const b = this.#b;
    this.#a = Math.imul(((a << 5) | (a >>> 27)) ^ x, 0x9e3779b1);
    this.#b = Math.imul(((b << 13) | (b >>> 19)) ^ x, 0x85ebca6b);
  }

  /** Takes a safe integer. */
  integer(x: number): void {
    const high = Math.floor(x / 4294967296);
    this.word((x - high * 4294967296) | 0);
    this.word(high | 0);
  }

  /** Takes `count` words of an array. */
  words(from: Int32Array | Uint32Array, at: number, count: number): void {
    let a = this.#a;
    let b = this.#b;
    for (let i = at; i < at + count; i += 1) {
      const x = from[i] as number;
      a = Math.imul(((a << 5) | (a >>> 27)) ^ x, 0x9e3779b1);
      b = Math.imul(((b << 13) | (b >>> 19)) ^ x, 0x85ebca6b);
    }
    this.#a = a;
    this.#b = b;
  }

  /** Takes all fields of one event or decision record. */
  record(records: Records, r: number): void {
    this.words(records.i32, r << 3, 8);
  }

  /** Takes a message: structure, field names and values, in the order of its fields. */
  value(value: unknown): void {
    switch (typeof value) {
      case 'number':
        if (Number.isSafeInteger(value)) this.integer(value);
        else this.#string(String(value));
        return;
      case 'string':
        this.#string(value);
        return;
      case 'boolean':
        this.word(value ? 0x7472 : 0x6661);
        return;
      case 'object':
        this.#object(value);
        return;
      default:
        this.word(0x756e64);
    }
  }

  #object(value: object | null): void {
    if (value === null) {
      this.word(0x6e756c);
      return;
    }
    if (Array.isArray(value)) {
      this.word(value.length);
      for (let i = 0; i < value.length; i += 1) this.value(value[i]);
      return;
    }
    const keys = Object.keys(value);
    this.word(~keys.length);
    for (let i = 0; i < keys.length; i += 1) {
      const key = keys[i] as string;
      this.#string(key);
      this.value((value as { readonly [name: string]: unknown })[key]);
    }
  }

  #string(text: string): void {
    // Short strings are few and repeat; long ones (documents, event ids) are hashed each time.
    const known = this.#strings.get(text);
    if (known !== undefined) {
      this.word(known);
      return;
    }
    let hash = text.length;
    for (let i = 0; i < text.length; i += 1) {
      hash = Math.imul(((hash << 7) | (hash >>> 25)) ^ text.charCodeAt(i), 0xc2b2ae35);
    }
    if (text.length <= 24 && this.#strings.size < 4096) this.#strings.set(text, hash);
    this.word(hash);
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    // Two Feistel rounds: different states have different digests.
    const a = (this.#a ^ mix32(this.#b)) >>> 0;
    const b = (this.#b ^ mix32(a)) >>> 0;
    return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
  }
}
