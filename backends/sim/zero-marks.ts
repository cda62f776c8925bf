/**
 * Zeroes that a disk shows in place of something else, as a read that looked for zeroes found them
 * last. Whoever copies a spoiled sector copies its mark ({@link Spoils}); whoever only notes that a
 * block is zero, as an undo log does, loses it. So who asks what the log would put back asks here.
 */
import type { Spoils } from './spoils.ts';

export class ZeroMarks {
  readonly #spoils: Spoils;
  readonly #marks = new Map<number, number>();

  constructor(spoils: Spoils) {
    this.#spoils = spoils;
  }

  /** A read found `count` sectors from `sector` on to be zero; their stamps are in `stamps`. */
  found(sector: number, count: number, stamps: Int32Array, at: number): void {
    if (this.#spoils.count === 0) return;
    for (let i = 0; i < count; i += 1) {
      const stamp = stamps[at + i] as number;
      if (this.#spoils.spoiled(stamp)) this.#marks.set(sector + i, stamp);
      else this.#marks.delete(sector + i);
    }
  }

  /** The stamp of a sector that was noted to be zero. */
  at(sector: number): number {
    return this.#marks.get(sector) ?? 0;
  }

  /** Puts the stamps of `count` sectors from `sector` on, which were noted to be zero. */
  put(image: Int32Array, sector: number, count: number): void {
    image.fill(0, sector, sector + count);
    if (this.#marks.size === 0) return;
    for (let i = sector; i < sector + count; i += 1) image[i] = this.at(i);
  }
}
