/**
 * The trace hash: 64 bits over every input, decision, message and durable disk write of a run, in
 * order. Each step is a bijection of the state for a given word and of the word for a given state,
 * so a change of any one word changes the hash for certain, not just probably: where it does not
 * also change how many words there are, as the end of a page may.
 */
import { mix32 } from '../../engine/core/rng.ts';
import type { Records } from '../../engine/data/memory.ts';

/** Words of a message that are gathered before they are taken together, to begin with. */
const GATHERED = 1024;
/** Strings whose hashes are remembered, and how long such a string may be. */
const KNOWN = 4096;
const KNOWN_LENGTH = 24;
/** Lists of field names that are remembered for each length. */
const LISTS = 32;

const SENT = 0x73656e64;
const RECEIVED = 0x72656376;

/** The field names of one kind of object, and the hash of each. */
interface NameList {
  readonly names: readonly string[];
  readonly hashes: readonly number[];
}

/** A running hash. */
export class TraceHash {
  #a = 0x243f6a88;
  #b = 0x13198a2e;
  /** A message's words: each step of the hash waits for the one before, gathering them does not. */
  #gathered = new Int32Array(GATHERED);
  #count = 0;
  /** Strings seen before and their hashes: kinds and identifiers repeat by the thousand. */
  readonly #texts: string[] = new Array<string>(KNOWN).fill('');
  readonly #hashes = new Int32Array(KNOWN);
  /** Datagrams so far. */
  #sent = 0;
  /** The lists of field names met so far, by their length. */
  readonly #lists: NameList[][] = [];

  /** Begins anew. */
  reset(): void {
    this.#a = 0x243f6a88;
    this.#b = 0x13198a2e;
    this.#sent = 0;
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
    const small = x | 0;
    if (small === x) {
      this.word(small);
      this.word(small >> 31);
      return;
    }
    const high = Math.floor(x / 4294967296);
    this.word((x - high * 4294967296) | 0);
    this.word(high | 0);
  }

  /** Takes `count` words of an array. */
  words(from: Int32Array, at: number, count: number): void {
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

  /** Takes `count` words of which the last are mostly zeroes: how many are not, and then those. */
  page(from: Int32Array, at: number, count: number): void {
    let end = at + count;
    while (end > at && from[end - 1] === 0) end -= 1;
    this.word(end - at);
    this.words(from, at, end - at);
  }

  /** Takes all fields of one event or decision record. */
  record(records: Records, r: number): void {
    const from = records.i32;
    const at = r << 3;
    let a = this.#a;
    let b = this.#b;
    // Fixed length, no counter: there are two of these for each thing that happens.
    for (let i = 0; i < 8; i += 1) {
      const x = from[at + i] as number;
      a = Math.imul(((a << 5) | (a >>> 27)) ^ x, 0x9e3779b1);
      b = Math.imul(((b << 13) | (b >>> 19)) ^ x, 0x85ebca6b);
    }
    this.#a = a;
    this.#b = b;
  }

  /** Takes a message: structure, field names and values, in the order of its fields. */
  value(value: unknown): void {
    this.#gather(value);
    this.words(this.#gathered, 0, this.#count);
    this.#count = 0;
  }

  /** Takes a datagram and where it goes, and returns its number: the datagrams count from 1. */
  sent(to: number, link: number, message: object): number {
    this.word(SENT);
    this.word(to);
    this.word(link);
    this.value(message);
    this.#sent += 1;
    return this.#sent;
  }

  /** Takes the arrival of datagram `number`: what it says was taken when it was sent. */
  received(from: number, link: number, number: number): void {
    this.word(RECEIVED);
    this.word(from);
    this.word(link);
    this.word(number);
  }

  // Comparisons one by one, not a switch: the compiler then never makes the name of the type.
  #gather(value: unknown): void {
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#put(this.#hashOf(value));
    else if (typeof value === 'object') this.#object(value);
    else if (typeof value === 'boolean') this.#put(value ? 0x7472 : 0x6661);
    else this.#put(0x756e64);
  }

  #object(value: object | null): void {
    if (value === null) {
      this.#put(0x6e756c);
      return;
    }
    if (Array.isArray(value)) {
      this.#put(value.length);
      for (let i = 0; i < value.length; i += 1) this.#gather(value[i]);
      return;
    }
    // Values in a list of their own: looking each up by its name is dearer.
    const names = Object.keys(value);
    const values: readonly unknown[] = Object.values(value);
    const { length } = names;
    this.#put(~length);
    if (length === 0) return;
    const { hashes } = this.#listOf(names);
    for (let i = 0; i < length; i += 1) {
      this.#put(hashes[i] as number);
      this.#gather(values[i]);
    }
  }

  #number(x: number): void {
    const small = x | 0;
    if (small === x) {
      this.#put(small);
      this.#put(small >> 31);
      return;
    }
    if (!Number.isSafeInteger(x)) {
      this.#put(this.#hashOf(String(x)));
      return;
    }
    const high = Math.floor(x / 4294967296);
    this.#put((x - high * 4294967296) | 0);
    this.#put(high | 0);
  }

  #put(x: number): void {
    if (this.#count === this.#gathered.length) this.#widen();
    this.#gathered[this.#count] = x;
    this.#count += 1;
  }

  #widen(): void {
    const wider = new Int32Array(this.#gathered.length * 2);
    wider.set(this.#gathered);
    this.#gathered = wider;
  }

  /** The list that says the same as `names`: objects of one kind repeat by the thousand. */
  #listOf(names: readonly string[]): NameList {
    const { length } = names;
    while (this.#lists.length <= length) this.#lists.push([]);
    const lists = this.#lists[length] as NameList[];
    for (let l = 0; l < lists.length; l += 1) {
      const list = lists[l] as NameList;
      let i = length - 1;
      while (i >= 0 && list.names[i] === names[i]) i -= 1;
      if (i < 0) return list;
    }
    const made = { names, hashes: names.map(hashOf) };
    // Names that are data, not fields, would fill the memory.
    if (lists.length < LISTS) lists.push(made);
    return made;
  }

  #hashOf(text: string): number {
    const { length } = text;
    if (length === 0 || length > KNOWN_LENGTH) return hashOf(text);
    const near = text.charCodeAt(0) + Math.imul(text.charCodeAt(length >> 1), 37);
    const at = (near + Math.imul(text.charCodeAt(length - 1), 577) + length * 131) & (KNOWN - 1);
    if (this.#texts[at] === text) return this.#hashes[at] as number;
    const hash = hashOf(text);
    this.#texts[at] = text;
    this.#hashes[at] = hash;
    return hash;
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    // Two Feistel rounds: different states have different digests.
    const a = (this.#a ^ mix32(this.#b)) >>> 0;
    const b = (this.#b ^ mix32(a)) >>> 0;
    return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
  }
}

function hashOf(text: string): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(((hash << 7) | (hash >>> 25)) ^ text.charCodeAt(i), 0xc2b2ae35);
  }
  return hash;
}
