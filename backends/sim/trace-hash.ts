/**
 * The trace hash: 64 bits over every input, decision, message and durable disk write of a run, in
 * order. Each step is a bijection of the state for a given sum and of the sum for a given state. Up
 * to eight words make a sum, each times an odd number of its own: for a processor those products
 * are independent, and only the steps wait for each other. So a change of any one word changes its
 * sum and with it the hash for certain, not just probably: where it does not also change how many
 * words there are, as the end of a page may. Two words of one sum that change together would have
 * to fit both halves, which weigh them differently.
 */
import type { ControlMessage, Heartbeat, LeaseAckMessage } from '../../engine/cluster/messages.ts';
import { mix32 } from '../../engine/core/rng.ts';
import type { Records } from '../../engine/data/memory.ts';

/** Words of a message that are gathered before they are taken together, to begin with. */
const GATHERED = 1024;
/** Strings whose hashes are remembered, and how long such a string may be. */
const KNOWN = 4096;
const KNOWN_LENGTH = 24;
/** Lists of field names that are remembered for each length. */
const LISTS = 32;

/** Words of one sum. */
const GROUP = 8;

const BEAT = 0x62656174;
const LEASE_ACK = 0x6c656173;
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
  readonly #rest = new Int32Array(GROUP);
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
    this.#step(x, x);
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
    const whole = count & ~(GROUP - 1);
    for (let i = 0; i < whole; i += GROUP) this.#group(from, at + i);
    const rest = count - whole;
    if (rest > 0) this.#few(from, at + whole, rest);
  }

  #group(from: Int32Array, at: number): void {
    let x = Math.imul(from[at] as number, 0x9e3779b1);
    let a = x;
    let b = x;
    x = Math.imul(from[at + 1] as number, 0x7feb352d);
    a = (a + x) | 0;
    b = (b + ((x << 3) | (x >>> 29))) | 0;
    x = Math.imul(from[at + 2] as number, 0x846ca68b);
    a = (a + x) | 0;
    b = (b + ((x << 7) | (x >>> 25))) | 0;
    x = Math.imul(from[at + 3] as number, 0x2c1b3c6d);
    a = (a + x) | 0;
    b = (b + ((x << 11) | (x >>> 21))) | 0;
    x = Math.imul(from[at + 4] as number, 0x297a2d39);
    a = (a + x) | 0;
    b = (b + ((x << 15) | (x >>> 17))) | 0;
    x = Math.imul(from[at + 5] as number, 0x58f38ded);
    a = (a + x) | 0;
    b = (b + ((x << 19) | (x >>> 13))) | 0;
    x = Math.imul(from[at + 6] as number, 0x1b56c4e9);
    a = (a + x) | 0;
    b = (b + ((x << 23) | (x >>> 9))) | 0;
    x = Math.imul(from[at + 7] as number, 0x6c8e9cf5);
    a = (a + x) | 0;
    b = (b + ((x << 27) | (x >>> 5))) | 0;
    this.#step(a, b);
  }

  /** Fewer than a group: the last word of theirs says how many. */
  #few(from: Int32Array, at: number, count: number): void {
    const few = this.#rest;
    for (let i = 0; i < count; i += 1) few[i] = from[at + i] as number;
    for (let i = count; i < GROUP - 1; i += 1) few[i] = 0;
    few[GROUP - 1] = ~count;
    this.#group(few, 0);
  }

  #step(x: number, y: number): void {
    const a = this.#a;
    const b = this.#b;
    this.#a = Math.imul(((a << 5) | (a >>> 27)) ^ x, 0x9e3779b1);
    this.#b = Math.imul(((b << 13) | (b >>> 19)) ^ y, 0x85ebca6b);
  }

  /** Takes `count` words of which the last are mostly zeroes: how many are not, and then those. */
  page(from: Int32Array, at: number, count: number): void {
    let end = at + count;
    while (end > at && from[end - 1] === 0) end -= 1;
    this.word(end - at);
    this.words(from, at, end - at);
  }

  /** Takes all fields of one event or decision record: there are two for all that happens. */
  record(records: Records, r: number): void {
    this.#group(records.i32, r << 3);
  }

  /** Takes a message: structure, field names and values, in the order of its fields. */
  value(value: unknown): void {
    this.#gather(value);
    this.#taken();
  }

  #taken(): void {
    this.words(this.#gathered, 0, this.#count);
    this.#count = 0;
  }

  // Six of seven messages are heartbeats and acknowledgements of leases. What their fields are is
  // said by their kind: they are taken without names, and without lists to walk them.
  #leaseAck(ack: LeaseAckMessage): void {
    this.#put(LEASE_ACK);
    this.#sender(ack);
    this.#number(ack.of);
    this.#number(ack.sent);
    this.#number(ack.identity);
  }

  /** What every message says of who sent it. */
  #sender({ boot, life, event }: Heartbeat | LeaseAckMessage): void {
    this.#number(boot);
    this.#number(life);
    this.#put(this.#hashOf(event));
  }

  #beat(beat: Heartbeat): void {
    this.#put(BEAT);
    this.#sender(beat);
    this.#number(beat.identity);
    this.#number(beat.sent);
    this.#number(beat.yours);
    this.#number(beat.heard);
    this.#number(beat.term);
    this.#number(beat.leader);
    this.#number(beat.commit);
    this.#number(beat.matched);
    this.#number(beat.facts);
    this.#number(beat.factsHeard);
    this.#number(beat.lease);
    const { hears } = beat;
    this.#put(hears.length);
    for (let i = 0; i < hears.length; i += 1) this.#number(hears[i] as number);
  }

  /** Takes a datagram and where it goes, and returns its number: the datagrams count from 1. */
  sent(to: number, link: number, message: ControlMessage): number {
    this.word(SENT);
    this.word(to);
    this.word(link);
    if (message.kind === 'heartbeat') this.#beat(message);
    else if (message.kind === 'lease-ack') this.#leaseAck(message);
    else this.#gather(message);
    this.#taken();
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
