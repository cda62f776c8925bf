/**
 * First come, first served locks over byte ranges, one per slot. Two overlapping ranges conflict
 * unless both only read; a range waits for every earlier one that it conflicts with, granted or
 * not, so nobody starves. Made for tens of requests in flight: a list in order of arrival.
 */
import { invariant } from '../core/invariant.ts';

/** How a range is held. `Shared` conflicts with `Exclusive` only; `None` with nothing. */
export const Hold = { Shared: 1, Exclusive: 2, None: 3 } as const;

export class RangeLock {
  readonly #start: Float64Array;
  readonly #end: Float64Array;
  readonly #hold: Uint8Array;
  readonly #blockers: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  #head = -1;
  #tail = -1;
  #waiting = 0;
  readonly #grant: (slot: number) => void;

  /** `grant` is told a slot whose range has become free; it may acquire and release in turn. */
  constructor(slots: number, grant: (slot: number) => void) {
    this.#start = new Float64Array(slots);
    this.#end = new Float64Array(slots);
    this.#hold = new Uint8Array(slots);
    this.#blockers = new Int32Array(slots);
    this.#next = new Int32Array(slots).fill(-1);
    this.#previous = new Int32Array(slots).fill(-1);
    this.#grant = grant;
  }

  /** Queues `slot` for [start, end). True when it is granted at once; else `grant` will be told. */
  acquire(slot: number, start: number, end: number, hold: number): boolean {
    invariant(this.#hold[slot] === 0, 'a slot holds one range at a time');
    this.#start[slot] = start;
    this.#end[slot] = end;
    this.#hold[slot] = hold;
    let blockers = 0;
    for (let s = this.#head; s >= 0; s = this.#next[s] as number) {
      if (this.#conflict(s, slot)) blockers += 1;
    }
    this.#blockers[slot] = blockers;
    this.#previous[slot] = this.#tail;
    this.#next[slot] = -1;
    if (this.#tail >= 0) this.#next[this.#tail] = slot;
    else this.#head = slot;
    this.#tail = slot;
    if (blockers === 0) return true;
    this.#waiting += 1;
    return false;
  }

  /** Lets go of the slot's range, granted or still waiting, and grants what waited for it. */
  release(slot: number): void {
    invariant(this.#hold[slot] !== 0, 'only a held range is let go');
    if ((this.#blockers[slot] as number) > 0) this.#waiting -= 1;
    const before = this.#previous[slot] as number;
    const after = this.#next[slot] as number;
    if (before >= 0) this.#next[before] = after;
    else this.#head = after;
    if (after >= 0) this.#previous[after] = before;
    else this.#tail = before;
    if (this.#waiting === 0) {
      this.#hold[slot] = 0;
      return;
    }
    // Count first, grant after: a grant may change the list.
    let granted = 0;
    for (let s = after; s >= 0; s = this.#next[s] as number) {
      if (!this.#conflict(s, slot)) continue;
      const left = (this.#blockers[s] as number) - 1;
      this.#blockers[s] = left;
      if (left === 0) {
        this.#waiting -= 1;
        granted += 1;
        this.#blockers[s] = -1;
      }
    }
    this.#hold[slot] = 0;
    while (granted > 0) {
      const next = this.#takeGranted();
      if (next < 0) return;
      granted -= 1;
      this.#grant(next);
    }
  }

  /** The same, for whoever may hold no range any more. */
  releaseIfHeld(slot: number): void {
    if (this.has(slot)) this.release(slot);
  }

  /** Whether the slot is queued or holds a range. */
  has(slot: number): boolean {
    return this.#hold[slot] !== 0;
  }

  /** Whether the slot holds its range, granted. */
  granted(slot: number): boolean {
    return this.#hold[slot] !== 0 && this.#blockers[slot] === 0;
  }

  #takeGranted(): number {
    for (let s = this.#head; s >= 0; s = this.#next[s] as number) {
      if (this.#blockers[s] === -1) {
        this.#blockers[s] = 0;
        return s;
      }
    }
    return -1;
  }

  #conflict(a: number, b: number): boolean {
    if ((this.#start[a] as number) >= (this.#end[b] as number)) return false;
    if ((this.#start[b] as number) >= (this.#end[a] as number)) return false;
    const x = this.#hold[a] as number;
    const y = this.#hold[b] as number;
    if (x === Hold.None || y === Hold.None) return false;
    return x === Hold.Exclusive || y === Hold.Exclusive;
  }
}
