/**
 * Receipts: what a member has acknowledged to its primary and its own disk does not have yet
 * (docs/decisions/0028). Counts it, so that a flush covers it, and keeps a note in the superblock
 * as long as there may be any: it dies with this core although host and boot live on. Never lets a
 * receipt go out before that note is durable.
 */
import { Flag } from '../data/abi.ts';
import { DiskFlag } from './metadata.ts';
import { Mode } from './mode.ts';
import type { Parts } from './parts.ts';

/** A flush that waits for what was received before it. */
interface Waiting {
  /** The last receipt that it covers, and how many of those are not written yet. */
  readonly upTo: number;
  left: number;
  readonly done: () => void;
}

export class Receipts {
  readonly #p: Parts;
  /** Of each slot, the number of the receipt that went out for its write; 0 for none. */
  readonly #number: Float64Array;
  #given = 0;
  /** Writes with a receipt that the disk has not ended. */
  #open = 0;
  #waiting: Waiting[] = [];
  /** Counts the notes made, and whether the last one is durable. */
  #notes = 0;
  #durable = false;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#number = new Float64Array(parts.slots.count);
  }

  /**
   * The replica is attached, in the boot of the host in which it was written last. What an earlier
   * core gave receipts for may be gone: it is doubted, though less than after a loss of power.
   */
  attach(): void {
    const { store, turn, canary } = this.#p;
    const { block } = store;
    if ((block.flags & DiskFlag.Received) === 0) return;
    block.flags &= ~DiskFlag.Received;
    if (canary.receiptTrusted) return;
    block.flags |= DiskFlag.Lacking;
    turn.reached('mirror.receipt.lost');
    turn.event('mirror.receipt.lost', { epoch: block.epoch });
  }

  /** Whether the write of `slot`, which goes to the disk in this turn, is answered at once. */
  give(slot: number): boolean {
    const { slots, partners, turn, canary } = this.#p;
    const flags = slots.flags[slot] as number;
    if ((flags & Flag.Receipt) === 0) return false;
    // Whoever asks for that wants to know that it is durable.
    if ((flags & Flag.Fua) !== 0 && !canary.receiptForFua) return false;
    const by = partners.on(slots.link[slot] as number)?.link;
    if (by?.mode !== Mode.Follow || !this.#isNoted()) return false;
    this.#given += 1;
    this.#open += 1;
    this.#number[slot] = this.#given;
    turn.reached('mirror.receipt.given');
    return true;
  }

  /** The disk has ended the write of `slot`: whether it was answered before. */
  ended(slot: number): boolean {
    const number = this.#number[slot] as number;
    if (number === 0) return false;
    this.#number[slot] = 0;
    this.#open -= 1;
    for (const each of this.#waiting) if (number <= each.upTo) each.left -= 1;
    while (this.#waiting.length > 0 && this.#waiting[0]?.left === 0) this.#waiting.shift()?.done();
    return true;
  }

  /** `done` is called when the disk has everything for which receipts have gone out so far. */
  whenWritten(done: () => void): void {
    const { turn, canary } = this.#p;
    if (this.#open === 0 || canary.receiptUnflushed) {
      done();
      return;
    }
    turn.reached('mirror.receipt.flush-waits');
    this.#waiting.push({ upTo: this.#given, left: this.#open, done: this.#p.turn.carry(done) });
  }

  /**
   * `done` is called when no peer's write is in flight, so that there is nothing to note any more;
   * whoever goes on from there makes that durable.
   */
  whenOver(done: () => void): void {
    const { peers, store, canary } = this.#p;
    const over = (): void => {
      store.block.flags &= ~DiskFlag.Received;
      done();
    };
    if (canary.receiptOvertaken) over();
    else peers.whenIdle(over);
  }

  /** Takes the note back where nobody is followed, and the disk has everything. */
  settle(): void {
    const { store, partners, state, canary } = this.#p;
    // A link may come and go before the replica is attached: the note is an earlier core's then.
    if (!state.attached && !canary.receiptSettledEarly) return;
    const noted = (store.block.flags & DiskFlag.Received) !== 0;
    if (!noted || this.#open > 0 || partners.leader !== null || state.disk === 'Failed') return;
    store.block.flags &= ~DiskFlag.Received;
    store.persist(() => {});
  }

  /** Whether a death of this core would be told by the superblock; sees to it that it will be. */
  #isNoted(): boolean {
    const { store, canary } = this.#p;
    // Others may have written the flags anew: of a copy that ended, say.
    if ((store.block.flags & DiskFlag.Received) === 0) {
      store.block.flags |= DiskFlag.Received;
      this.#durable = false;
      this.#notes += 1;
      const note = this.#notes;
      store.persist(() => {
        if (note === this.#notes) this.#durable = true;
      });
    }
    return this.#durable || canary.receiptUnnoted;
  }
}
