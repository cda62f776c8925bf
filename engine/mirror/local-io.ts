/**
 * Reads and writes of the own disk that meet blocks in the spare area: such a request is done part
 * by part, each where it stands, and ends like any other. Without a block there, nothing comes by
 * here. A part in the spare area is durable when it is done: no flush of the data reaches it where
 * metadata have a device of their own.
 */
import { BLOCK_BYTES } from '../core/units.ts';
import { Decision, Flag } from '../data/abi.ts';
import type { Parts } from './parts.ts';

export class LocalIo {
  readonly #p: Parts;
  /** The operation of each slot that is done in parts; 0 for none. */
  readonly #op: Uint8Array;
  readonly #flags: Int32Array;
  readonly #start: Float64Array;
  readonly #at: Float64Array;
  readonly #end: Float64Array;
  /** The page to which the next operation of each slot goes, wherever its block stands; or 0. */
  readonly #aim: Float64Array;

  constructor(parts: Parts) {
    this.#p = parts;
    const { count } = parts.slots;
    this.#op = new Uint8Array(count);
    this.#flags = new Int32Array(count);
    this.#start = new Float64Array(count);
    this.#at = new Float64Array(count);
    this.#end = new Float64Array(count);
    this.#aim = new Float64Array(count);
  }

  /** Some block stands in the spare area. */
  on(): void {
    this.#p.turn.divides = (op, slot, flags, offset, length) =>
      this.#begin(op, slot, flags, offset, length);
  }

  /** The next operation of `slot`, of one block, goes to `page`, where that block is to stand. */
  aim(slot: number, page: number): void {
    this.#aim[slot] = page;
    this.on();
  }

  /** The disk is done with `slot`; true when that was a part, and the next one is under way. */
  continues(slot: number, status: number): boolean {
    if (this.#op[slot] === 0) return false;
    const more = (this.#at[slot] as number) < (this.#end[slot] as number);
    if (status !== 0 || !more) {
      this.#op[slot] = 0;
      return false;
    }
    this.#part(slot);
    return true;
  }

  /** False where every block of the range is in its place. */
  #begin(op: number, slot: number, flags: number, offset: number, length: number): boolean {
    // The side area is no part of the volume: none of its blocks stands elsewhere.
    if ((flags & Flag.Side) !== 0) return false;
    const aim = this.#aim[slot] as number;
    if (aim > 0) {
      this.#aim[slot] = 0;
      this.#p.turn.emitPart(op, slot, 0, flags, offset, length, aim);
      return true;
    }
    if (this.#apart(offset, offset + length) < 0) return false;
    this.#p.turn.reached('mirror.spare.met');
    this.#op[slot] = op;
    this.#flags[slot] = flags;
    this.#start[slot] = offset;
    this.#at[slot] = offset;
    this.#end[slot] = offset + length;
    this.#part(slot);
    return true;
  }

  /** The first block of [from, to) that is not in its place, -1 for none. */
  #apart(from: number, to: number): number {
    const { spare } = this.#p;
    for (let block = Math.floor(from / BLOCK_BYTES); block * BLOCK_BYTES < to; block += 1) {
      if (spare.pageOf(block) !== 0) return block;
    }
    return -1;
  }

  #part(slot: number): void {
    const { spare, turn, canary } = this.#p;
    const op = this.#op[slot] as number;
    const from = this.#at[slot] as number;
    const end = this.#end[slot] as number;
    const block = this.#apart(from, end);
    const place = block * BLOCK_BYTES;
    let to = end;
    let page = 0;
    let flags = this.#flags[slot] as number;
    if (block >= 0 && place > from) to = place;
    else if (block >= 0) {
      to = Math.min(end, place + BLOCK_BYTES);
      page = spare.pageOf(block);
      if (op === Decision.LocalWrite) flags = (flags | Flag.Fua) & ~Flag.Unmap;
      if (canary.spareReadsOnly && op === Decision.LocalWrite) page = 0;
    }
    if (to < end) flags |= Flag.Part;
    this.#at[slot] = to;
    turn.emitPart(op, slot, from - (this.#start[slot] as number), flags, from, to - from, page);
  }
}
