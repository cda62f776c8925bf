/**
 * How the end of a copy to an asynchronous replica comes about. Clients' writes are not sent there
 * while it lasts, so the copy follows them without ever having all: near the end they wait until
 * the last blocks are over. Not for long at a time, and not in a row: the volume serves before
 * anything.
 */
import { BLOCK_BYTES, MICROS_PER_S, type Micros } from '../core/units.ts';

/** Blocks that are left when writes begin to wait at once. */
export const DRAIN_BLOCKS = 64;
/** A copy that has been within half a second of its end for so long makes them wait as well. */
export const CLOSE_BY: Micros = 10 * MICROS_PER_S;
/** Writes wait for so long at most, and are let through for so long after it. */
export const SHUT_MAX: Micros = MICROS_PER_S;
export const REST: Micros = 4 * MICROS_PER_S;

export class Drain {
  /** Whether writes wait. */
  shut = false;
  /** Until when they do at most, or since when they may again. */
  until: Micros = 0;
  /** Since when the end has been close by. */
  #close: Micros = Number.POSITIVE_INFINITY;
  /** A wait was in vain: the next one waits for a wire that is quick enough. */
  #tried = false;
  /** Bytes sent in this second, bytes that needed no copy, and how many a second it was before. */
  #sent = 0;
  #spared = 0;
  #rate = 0;
  #second: Micros = 0;

  /**
   * So much is on both, sent or `spared` for being equal. What is left near the end has just been
   * written, and will be sent: equal pieces say nothing of how quick that is, and would have writes
   * wait for a wire that is slow. Where all of a second was equal there is nothing else to go by.
   */
  copied(bytes: number, now: Micros, spared = false): void {
    if (now >= this.#second + MICROS_PER_S) {
      const bytesBefore = this.#sent > 0 ? this.#sent : this.#spared;
      this.#rate = now < this.#second + 2 * MICROS_PER_S ? bytesBefore : 0;
      this.#sent = 0;
      this.#spared = 0;
      this.#second = now;
    }
    if (spared) this.#spared += bytes;
    else this.#sent += bytes;
  }

  /** `left` blocks are to be copied, Infinity while the copy cannot end. */
  judge(left: number, now: Micros): void {
    if (this.shut) {
      if (left !== Number.POSITIVE_INFINITY && now < this.until) return;
      this.shut = false;
      this.#tried ||= left !== Number.POSITIVE_INFINITY;
      this.until = now + REST;
      return;
    }
    if (left * 2 * BLOCK_BYTES > this.#rate) this.#close = Number.POSITIVE_INFINITY;
    else if (this.#close > now) this.#close = now;
    const few = left <= DRAIN_BLOCKS && (!this.#tried || left * BLOCK_BYTES <= this.#rate);
    const ends = few || now - this.#close >= CLOSE_BY;
    if (!ends || now < this.until) return;
    this.shut = true;
    this.until = now + SHUT_MAX;
  }

  /** The copy is over. */
  reset(): void {
    this.shut = false;
    this.until = 0;
    this.#close = Number.POSITIVE_INFINITY;
    this.#tried = false;
    this.#sent = 0;
    this.#spared = 0;
    this.#rate = 0;
  }
}
