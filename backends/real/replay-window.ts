/** Which sequence numbers of one sender were seen: each is accepted once, none that is too old. */

/** How far a datagram may be overtaken by later ones before it counts as lost. */
export const WINDOW = 1024;
const WORDS = WINDOW / 32;

/** Sliding window over sequence numbers from 1. */
export class ReplayWindow {
  #highest = 0;
  /** Bit n % WINDOW is set when n was accepted, for n in (highest - WINDOW, highest]. */
  #seen = new Uint32Array(WORDS);

  /** True the first time that `sequence` is offered and within the window; then it is used up. */
  accept(sequence: number): boolean {
    if (!Number.isSafeInteger(sequence) || sequence < 1) return false;
    if (sequence <= this.#highest - WINDOW) return false;
    if (sequence > this.#highest) {
      this.#advance(sequence);
      return true;
    }
    return this.#mark(sequence);
  }

  #advance(sequence: number): void {
    if (sequence - this.#highest >= WINDOW) this.#seen.fill(0);
    else for (let n = this.#highest + 1; n < sequence; n++) this.#clear(n);
    this.#highest = sequence;
    this.#clear(sequence);
    this.#mark(sequence);
  }

  #clear(sequence: number): void {
    const bit = sequence % WINDOW;
    this.#seen[bit >> 5] = (this.#seen[bit >> 5] as number) & ~(1 << (bit & 31));
  }

  /** Sets the bit; false when it was set. */
  #mark(sequence: number): boolean {
    const bit = sequence % WINDOW;
    const word = this.#seen[bit >> 5] as number;
    const mask = 1 << (bit & 31);
    if ((word & mask) !== 0) return false;
    this.#seen[bit >> 5] = word | mask;
    return true;
  }
}
