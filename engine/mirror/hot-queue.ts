/**
 * The way of writes into the hot set, a client's as a peer's: each waits for room there, behind
 * those that came before, then for the journal block that makes its extents durably hot. In order,
 * and without allocating anything.
 */
import { EXTENT_BYTES } from '../core/units.ts';
import type { Parts } from './parts.ts';
import { Phase, SlotQueue } from './request.ts';

export class HotQueue {
  readonly #p: Parts;
  /** Takes each write whose extents are durably hot. */
  readonly #issue: (slot: number) => void;
  readonly #room: SlotQueue;
  readonly #hot: SlotQueue;

  constructor(parts: Parts, issue: (slot: number) => void) {
    this.#p = parts;
    this.#issue = issue;
    this.#room = new SlotQueue(parts.slots);
    this.#hot = new SlotQueue(parts.slots);
  }

  /** The write of `slot` has its range, and wants its extents hot. */
  enter(slot: number): void {
    const wait = this.#room.count === 0 ? this.#acquire(slot) : -1;
    if (wait >= 0) {
      this.#await(slot, wait);
      return;
    }
    this.#p.slots.phase[slot] = Phase.Room;
    this.#room.push(slot);
  }

  /** Lets go of the extents of `slot`; true when somebody waits for the room. */
  leave(slot: number, interval: number): boolean {
    const { slots, log } = this.#p;
    const last = slots.lastExtent[slot] as number;
    if (last < 0) return false;
    log.release(slots.firstExtent[slot] as number, last, interval);
    slots.lastExtent[slot] = -1;
    return this.#room.count > 0;
  }

  /** A journal block became durable: what waited for it goes on. */
  journalWritten(): void {
    const { slots, log } = this.#p;
    for (let s = this.#hot.head; s >= 0; s = this.#hot.head) {
      if ((slots.journal[s] as number) > log.durable) return;
      this.#issue(this.#hot.take());
    }
  }

  /** There may be room: tries again what waited for it. */
  roomChanged(): void {
    while (this.#room.count > 0) {
      const wait = this.#acquire(this.#room.head);
      if (wait < 0) return;
      this.#await(this.#room.take(), wait);
    }
  }

  /** Hands over what waits and `goes`; the others keep their order. */
  take(goes: (slot: number) => boolean, taken: (slot: number) => void): void {
    this.#room.takeWhere(goes, taken);
    this.#hot.takeWhere(goes, taken);
  }

  /** The journal block to wait for, 0 for none, -1 when there is no room for the extents yet. */
  #acquire(slot: number): number {
    const { slots, log } = this.#p;
    const offset = slots.offset[slot] as number;
    const first = Math.floor(offset / EXTENT_BYTES);
    const last = Math.floor((offset + (slots.length[slot] as number) - 1) / EXTENT_BYTES);
    const wait = log.acquire(first, last);
    if (wait >= 0) {
      slots.firstExtent[slot] = first;
      slots.lastExtent[slot] = last;
    }
    return wait;
  }

  #await(slot: number, wait: number): void {
    const { slots, canary } = this.#p;
    // RULE-04: no data is written before its extent is durably hot.
    if (wait === 0 || canary.rule04) {
      this.#issue(slot);
      return;
    }
    slots.phase[slot] = Phase.Hot;
    slots.journal[slot] = wait;
    this.#hot.push(slot);
  }
}
