/**
 * Sectors of one disk that cannot be read. A latent error stays until the sector is written again,
 * and some stay even then; a transient one strikes a read and is gone. What is on the medium is not
 * touched: the disk just does not give it. Chance comes from a stream of this disk's own.
 */
import type { Rng } from '../../engine/core/rng.ts';

/** Latent errors strike in one 4 KiB block each, among the places written last. */
const BLOCK_SECTORS = 8;
const PLACES = 12;
/** One latent error in so many outlives a write, unnoticed; another one refuses it. */
const STUCK_ONE_IN = 6;

/** What becomes of a sector that cannot be read when it is written. */
type OnWrite = 'heals' | 'lies' | 'refuses';

export class LatentErrors {
  /** Reads that failed, and writes that were refused; and whether any was. */
  struck = 0;
  everRefused = false;
  readonly #stream: () => Rng;
  #rng: Rng | null = null;
  /** Unreadable sectors. */
  readonly #sectors = new Map<number, OnWrite>();
  /** Of a million reads, how many fail for once. */
  #ppm = 0;

  /** `stream` makes the random stream of these errors when it is needed. */
  constructor(stream: () => Rng) {
    this.#stream = stream;
  }

  /** Whether anything is wrong now. */
  get any(): boolean {
    return this.#ppm > 0 || this.#sectors.size > 0;
  }

  /** Adds to the rate of transient errors, or takes from it. */
  change(ppm: number): void {
    this.#ppm += ppm;
  }

  /** Draws sectors for one latent error, of those that `view` was written last at. */
  draw(view: Int32Array): number[] {
    const rng = this.#own();
    const newest: number[] = [];
    for (let at = 0; at < view.length; at += BLOCK_SECTORS) {
      const stamp = view[at] as number;
      if (newest.length === PLACES && stamp <= (view[newest[PLACES - 1] as number] as number)) {
        continue;
      }
      let place = newest.length;
      while (place > 0 && stamp > (view[newest[place - 1] as number] as number)) place -= 1;
      newest.splice(place, 0, at);
      if (newest.length > PLACES) newest.pop();
    }
    const block = newest[rng.below(newest.length)] as number;
    const first = rng.below(BLOCK_SECTORS);
    const count = rng.between(1, BLOCK_SECTORS - first);
    return Array.from({ length: count }, (_, i) => block + first + i);
  }

  /** These sectors cannot be read from now on. */
  strike(sectors: readonly number[]): void {
    const die = this.#own().below(STUCK_ONE_IN);
    const how = die === 0 ? 'lies' : die === 1 ? 'refuses' : 'heals';
    for (const sector of sectors) this.#sectors.set(sector, how);
  }

  /** Whatever is left of these sectors' errors is gone. */
  mend(sectors: readonly number[]): void {
    for (const sector of sectors) this.#sectors.delete(sector);
  }

  /** Whether a read of [sector, sector+count) fails. */
  fails(sector: number, count: number): boolean {
    let failed = this.#ppm > 0 && this.#own().chance(this.#ppm);
    for (let at = sector; at < sector + count && !failed; at += 1) failed = this.#sectors.has(at);
    if (failed) this.struck += 1;
    return failed;
  }

  /** [sector, sector+count) was written: it can be read again, mostly. */
  written(sector: number, count: number): void {
    for (let at = sector; at < sector + count; at += 1) {
      if (this.#sectors.get(at) === 'heals') this.#sectors.delete(at);
    }
  }

  /** Whether a sector stays as it is when it is written now, and says so. */
  refuses(sector: number): boolean {
    if (this.#sectors.get(sector) !== 'refuses') return false;
    this.struck += 1;
    this.everRefused = true;
    return true;
  }

  #own(): Rng {
    this.#rng ??= this.#stream();
    return this.#rng;
  }
}
