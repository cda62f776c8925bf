/**
 * The writes under way to an asynchronous replica, oldest first, and to which blocks they are: tens
 * of thousands as a rule, millions where a spill lets that many wait. So nothing in here ever
 * copies or rehashes all of it: the list grows by chunks, and blocks are counted in many small
 * maps.
 */
import { BLOCK_BYTES, type Micros } from '../core/units.ts';

/** Writes of one chunk, and numbers that each takes: its own, where, how long, and when. */
const CHUNK_WRITES = 4096;
const FIELDS = 4;
/** Empty chunks that are kept for later: those of a short backlog. */
const SPARE_CHUNKS = 8;
/** Maps of counts; blocks next to each other share one. */
const SHARDS = 1024;
const SHARD_BLOCKS = 64;

/** What {@link ShippedWrites.forget} tells: whether no later write to the block is under way. */
export type Forgotten = (block: number, last: boolean) => void;

export class ShippedWrites {
  /** The oldest write is in the first chunk, at `#head`; the newest in the last, before `#tail`. */
  #chunks: Float64Array[] = [];
  readonly #spare: Float64Array[] = [];
  #head = 0;
  #tail = CHUNK_WRITES;
  #shards: (Map<number, number> | undefined)[] = [];
  count = 0;
  bytes = 0;

  /** A write with this number, which is larger than all before it, is issued at `now`. */
  add(number: number, offset: number, length: number, now: Micros): void {
    if (this.#tail === CHUNK_WRITES) {
      this.#chunks.push(this.#spare.pop() ?? new Float64Array(CHUNK_WRITES * FIELDS));
      this.#tail = 0;
    }
    const chunk = this.#chunks[this.#chunks.length - 1] as Float64Array;
    const at = this.#tail * FIELDS;
    chunk[at] = number;
    chunk[at + 1] = offset;
    chunk[at + 2] = length;
    chunk[at + 3] = now;
    this.#tail += 1;
    this.count += 1;
    this.bytes += length;
    const last = lastBlock(offset, length);
    for (let block = Math.floor(offset / BLOCK_BYTES); block <= last; block += 1) {
      const counts = this.#counts(block);
      counts.set(block, (counts.get(block) ?? 0) + 1);
    }
  }

  /** The number of the oldest one; 0 where there is none. */
  get first(): number {
    const [first] = this.#chunks;
    return first === undefined ? 0 : (first[this.#head * FIELDS] as number);
  }

  /** When the oldest one was issued; 0 where there is none. */
  get oldest(): Micros {
    const [first] = this.#chunks;
    return first === undefined ? 0 : (first[this.#head * FIELDS + 3] as number);
  }

  /** Takes out all up to this number, oldest first; `forgotten` hears of each block of each. */
  forget(number: number, forgotten: Forgotten): void {
    for (;;) {
      const [chunk] = this.#chunks;
      const at = this.#head * FIELDS;
      if (chunk === undefined || (chunk[at] as number) > number) return;
      const offset = chunk[at + 1] as number;
      const length = chunk[at + 2] as number;
      this.#drop(chunk, length);
      const last = lastBlock(offset, length);
      for (let block = Math.floor(offset / BLOCK_BYTES); block <= last; block += 1) {
        const counts = this.#counts(block);
        const left = (counts.get(block) as number) - 1;
        if (left > 0) counts.set(block, left);
        else counts.delete(block);
        forgotten(block, left === 0);
      }
    }
  }

  /** Hears of where each is, oldest first. */
  each(seen: (offset: number, length: number) => void): void {
    let begin = this.#head;
    this.#chunks.forEach((chunk, k) => {
      const end = k === this.#chunks.length - 1 ? this.#tail : CHUNK_WRITES;
      for (let i = begin; i < end; i += 1) {
        seen(chunk[i * FIELDS + 1] as number, chunk[i * FIELDS + 2] as number);
      }
      begin = 0;
    });
  }

  /** Nothing is under way any more. */
  clear(): void {
    if (this.count === 0) return;
    for (const chunk of this.#chunks) this.#keep(chunk);
    this.#chunks = [];
    this.#shards = [];
    this.#head = 0;
    this.#tail = CHUNK_WRITES;
    this.count = 0;
    this.bytes = 0;
  }

  /** Takes out the oldest write, which is in `chunk`. */
  #drop(chunk: Float64Array, length: number): void {
    this.#head += 1;
    this.count -= 1;
    this.bytes -= length;
    if (this.#head < CHUNK_WRITES && this.count > 0) return;
    this.#chunks.shift();
    this.#keep(chunk);
    this.#head = 0;
    if (this.count === 0) this.#tail = CHUNK_WRITES;
  }

  #keep(chunk: Float64Array): void {
    if (this.#spare.length < SPARE_CHUNKS) this.#spare.push(chunk);
  }

  #counts(block: number): Map<number, number> {
    const index = Math.floor(block / SHARD_BLOCKS) % SHARDS;
    const known = this.#shards[index];
    if (known !== undefined) return known;
    if (this.#shards.length === 0) this.#shards = new Array(SHARDS).fill(undefined);
    const made: Map<number, number> = new Map();
    this.#shards[index] = made;
    return made;
  }
}

function lastBlock(offset: number, length: number): number {
  return Math.floor((offset + length - 1) / BLOCK_BYTES);
}
