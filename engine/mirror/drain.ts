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
  /** Bytes copied in this second, and in the one before. */
  #bytes = 0;
  #rate = 0;
  #second: Micros = 0;

  /** So much was copied. */
  copied(bytes: number, now: Micros): void {
    if (now >= this.#second + MICROS_PER_S) {
      this.#rate = now < this.#second + 2 * MICROS_PER_S ? this.#bytes : 0;
      this.#bytes = 0;
      this.#second = now;
    }
    this.#bytes += bytes;
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
    this.#bytes = 0;
    this.#rate = 0;
  }
}
